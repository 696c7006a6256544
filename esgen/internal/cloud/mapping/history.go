package mapping

import (
	"context"
	"errors"
	"fmt"
)

// Bounds of what Redeliver has to choose from.
const (
	maxHistory      = 64
	maxHistoryBytes = 32 << 20
)

// history has the payloads that the function took last, oldest first.
type history struct {
	payloads [][]byte
	bytes    int
}

func (h *history) add(payload []byte) {
	h.payloads = append(h.payloads, payload)
	h.bytes += len(payload)
	for len(h.payloads) > maxHistory || h.bytes > maxHistoryBytes {
		h.bytes -= len(h.payloads[0])
		h.payloads[0] = nil
		h.payloads = h.payloads[1:]
	}
}

// took notes that the function took a batch.
func (m *Mapping) took(payload []byte, records int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Delivered += records
	m.history.add(payload)
}

// Redeliver is a fault: it invokes the function with the last n batches that it took once more, oldest
// first, also while the mapping runs. So batches come twice, and after later ones. It remembers 64
// batches of 32 MiB in total. Failed items that the function reports are not looked at.
func (m *Mapping) Redeliver(ctx context.Context, n int) error {
	m.mu.Lock()
	payloads := append([][]byte(nil), m.history.payloads[max(0, len(m.history.payloads)-n):]...)
	m.mu.Unlock()
	for _, payload := range payloads {
		_, functionError, err := m.call(ctx, payload)
		if err == nil && functionError != "" {
			err = errors.New("the function failed: " + functionError)
		}
		if err != nil {
			return fmt.Errorf("mapping: redelivery to %s: %w", m.function, err)
		}
	}
	return nil
}
