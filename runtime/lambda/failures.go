package lambda

import es "github.com/esgen/esgen/runtime"

// failures is the answer to a batch of a stream or queue: which of it to deliver again. For a
// stream that is the one at which the reading goes on; "" stands for all of the batch.
func failures(items ...string) []byte {
	b := []byte(`{"batchItemFailures":[`)
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"itemIdentifier":`...)
		b = append(es.AppendString(b, item), '}')
	}
	return append(b, ']', '}')
}
