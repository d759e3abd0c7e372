//! Pseudo parameters.

/// The pseudo parameters that the user may give.
pub(super) const PSEUDO: [&str; 6] =
    ["AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"];
