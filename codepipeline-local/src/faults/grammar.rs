//! Parsing of faults and throttles from the command line.

use std::str::FromStr;

use super::fault::{Calls, Fault, FaultKind, Throttle};
use super::mistake::InvalidFault;
use crate::durations;

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        // Split from the end, because an operation may contain a colon.
        let mut parts = text.rsplitn(3, ':');
        let (Some(kind), Some(calls), Some(on)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidFault::Fault(text.to_owned()));
        };
        Self::checked(on.parse()?, calls.parse()?, kind.parse()?)
    }
}

impl FromStr for Calls {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let number = |digits: &str| {
            let number = digits.parse().ok().filter(|number| *number > 0 && !digits.starts_with('+'));
            number.ok_or_else(|| InvalidFault::Calls(text.to_owned()))
        };
        if text == "*" {
            Ok(Self::All)
        } else if let Some(step) = text.strip_prefix("*/") {
            Ok(Self::Every(number(step)?))
        } else if let Some(first) = text.strip_suffix('+') {
            Ok(Self::From(number(first)?))
        } else if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (number(first)?, number(last)?);
            if first > last { Err(InvalidFault::Calls(text.to_owned())) } else { Ok(Self::Range(first, last)) }
        } else {
            number(text).map(|number| Self::Range(number, number))
        }
    }
}

impl FromStr for FaultKind {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let duration = |kind: &'static str, text: &str| {
            durations::parse(text).map_err(|what| InvalidFault::Duration { kind, what })
        };
        match text.split_once('=') {
            None => match text {
                "throttle" => Ok(Self::Throttle),
                "error" => Ok(Self::Error),
                "deny" => Ok(Self::Deny),
                "reset" => Ok(Self::Reset),
                "lose-answer" => Ok(Self::LoseAnswer),
                "stall" => Ok(Self::Stall),
                "stall-answer" => Ok(Self::StallAnswer),
                _ => Err(InvalidFault::Kind(text.to_owned())),
            },
            Some(("delay", time)) => Ok(Self::Delay(duration("delay", time)?)),
            Some(("delay-answer", time)) => Ok(Self::DelayAnswer(duration("delay-answer", time)?)),
            Some(("cut", bytes)) => bytes.parse().map(Self::Cut).map_err(|_| InvalidFault::Bytes(bytes.to_owned())),
            Some(_) => Err(InvalidFault::Kind(text.to_owned())),
        }
    }
}

impl FromStr for Throttle {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        let wrong = || InvalidFault::Throttle(text.to_owned());
        // The service name and its star belong together.
        let after_star = ["codepipeline:*", "s3:*"].into_iter().find(|service| text.starts_with(service));
        let end = after_star.map_or_else(|| text.find(':').ok_or_else(wrong), |service| Ok(service.len()))?;
        let mut numbers = text[end..].strip_prefix(':').ok_or_else(wrong)?.split(':');
        let (rate, burst) = (numbers.next().unwrap_or_default(), numbers.next());
        if numbers.next().is_some() {
            return Err(wrong());
        }
        let on = text[..end].parse()?;
        let per_second = rate.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
        let per_second = per_second.ok_or_else(|| InvalidFault::Rate(rate.to_owned()))?;
        let burst = match burst {
            // The calls of one second, as in the bucket of an idle operation.
            None => per_second.ceil() as u32,
            Some(digits) => {
                let burst = digits.parse().ok().filter(|burst| *burst > 0);
                burst.ok_or_else(|| InvalidFault::Burst(digits.to_owned()))?
            }
        };
        Ok(Self { on, rate: per_second, burst })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::Target;
    use super::*;

    #[test]
    fn fault_display_round_trips() {
        for text in [
            "PutJobSuccessResult:1:lose-answer",
            "GetObject:3:cut=1000",
            "UploadPart:2-4:stall",
            "codepipeline:*:*/10:throttle",
            "s3:*:5+:error",
            "*:*:delay=1500ms",
            "PollForJobs:2:delay-answer=0ms",
            "AcknowledgeJob:1:stall-answer",
            "DeleteObject:1:reset",
            "AcknowledgeJob:2+:deny",
            "GetSecretValue:1:error",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        assert_eq!("*:*:delay=2s".parse::<Fault>().unwrap().to_string(), "*:*:delay=2000ms");
    }

    #[test]
    fn mistakes_name_the_right_form() {
        for (text, wrong, right) in [
            ("PollForJobs", "\"PollForJobs\"", "OPERATION:CALLS:KIND"),
            ("PollForJob:1:reset", "\"PollForJob\"", "PollForJobs"),
            ("ecs:*:1:reset", "\"ecs:*\"", "s3:*"),
            ("PollForJobs:0:reset", "\"0\"", "from 1 on"),
            ("PollForJobs:+3:reset", "\"+3\"", "3+"),
            ("PollForJobs:4-2:reset", "\"4-2\"", "2-4"),
            ("PollForJobs:*/0:reset", "\"*/0\"", "*/10"),
            ("PollForJobs:1:resets", "\"resets\"", "lose-answer"),
            ("PollForJobs:1:denied", "\"denied\"", "deny"),
            ("PollForJobs:1:reset=1", "\"reset=1\"", "lose-answer"),
            ("PollForJobs:1:delay=soon", "delay=\"soon\"", "30s"),
            ("GetObject:1:cut=half", "cut=half", "bytes"),
            ("PollForJobs:1:cut=10", "PollForJobs", "UploadPart"),
            ("s3:*:1:cut=10", "s3:*", "UploadPart"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains(right), "{text}: {error}");
        }
        for (text, wrong, right) in [
            ("PollForJobs", "\"PollForJobs\"", "OPERATION:RATE"),
            ("s3:*", "\"s3:*\"", "OPERATION:RATE"),
            ("s3:2", "\"s3\"", "s3:*"),
            ("PollForJobs:1:2:3", "1:2:3", "OPERATION:RATE:BURST"),
            ("PollForJobs:fast", "\"fast\"", "calls per second"),
            ("PollForJobs:0", "\"0\"", "above 0"),
            ("PollForJobs:1:0", "\"0\"", "from 1 on"),
        ] {
            let error = text.parse::<Throttle>().unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains(right), "{text}: {error}");
        }
    }

    #[test]
    fn fault_that_can_never_fire_is_refused() {
        for calls in [Calls::Range(0, 1), Calls::Range(3, 2), Calls::From(0), Calls::Every(0)] {
            assert!(matches!(Fault::new("*", calls, FaultKind::Reset), Err(InvalidFault::Calls(_))), "{calls}");
        }
        assert_eq!(Fault::new("*", Calls::Range(2, 2), FaultKind::Reset), "*:2:reset".parse());
    }

    #[test]
    fn default_burst_is_the_calls_of_one_second() {
        let read = |text: &str| text.parse::<Throttle>().map(|throttle| (throttle.on, throttle.rate, throttle.burst));
        assert_eq!(read("PollForJobs:2.5"), Ok((Target::Operation("PollForJobs"), 2.5, 3)));
        assert_eq!(read("s3:*:0.1"), Ok((Target::S3, 0.1, 1)));
        assert_eq!(read("*:5:50"), Ok((Target::Any, 5.0, 50)));
    }
}
