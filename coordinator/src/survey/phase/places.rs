//! The macro that combines the places of stages into the places of a phase.

/// Defines the places of a phase as those of its stages.
macro_rules! places_of_phase {
    ($(#[$doc:meta])* $name:ident { $($stage:ident($place:ty)),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name {
            $($stage($place)),*
        }

        $(impl From<$place> for $name {
            fn from(place: $place) -> Self {
                Self::$stage(place)
            }
        })*

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$stage(place) => place.fmt(f)),*
                }
            }
        }

        impl crate::tasks::Place for $name {
            fn stage(self) -> tributary_protocol::task::Stage {
                match self {
                    $(Self::$stage(place) => place.stage()),*
                }
            }

            fn instead(self) -> &'static str {
                match self {
                    $(Self::$stage(place) => place.instead()),*
                }
            }

            fn unit(self, job: &tributary_protocol::job::Job) -> String {
                match self {
                    $(Self::$stage(place) => place.unit(job)),*
                }
            }
        }
    };
}

pub(super) use places_of_phase;
