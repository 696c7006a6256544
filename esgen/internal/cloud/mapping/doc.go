// Package mapping stands in for Lambda's event source mappings on one machine: it reads streams of
// DynamoDB and queues, and invokes functions with what they hold, as declared: batches, filters,
// partial failures, retries, halving and the destination of what is given up.
//
// A config that it does not honour is refused. Where Lambda's documentation leaves something open, the harsher
// reading is taken, so that what works here works there; the places say so.
package mapping
