// Package sns stands in for Amazon SNS on one machine: topics, FIFO or standard, that deliver to
// the queues of package sqs, behind AWS's Query protocol.
//
// Delivery is part of publishing: when Publish has answered, the message is in every queue whose
// subscription lets it pass. What is not honoured is refused, never ignored.
package sns
