// Package sqs stands in for Amazon SQS on one machine: standard and FIFO queues in memory,
// behind a Go API and behind the protocol that AWS's SDKs speak (AWS JSON 1.0).
//
// What it honours is what a Config and the operations take. Everything else is refused, never ignored: a
// queue that behaves differently here than it was declared would prove nothing.
package sqs
