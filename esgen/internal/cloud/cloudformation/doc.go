// Package cloudformation stands in for two sides of AWS CloudFormation on one machine: functions
// that make custom resources send their answers to it, and tools ask it for a stack's outputs.
package cloudformation
