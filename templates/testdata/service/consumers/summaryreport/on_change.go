package summaryreport

import "context"

// OnChange is called when a record of the view "customer-summary" has changed:
// at least once, usually in order. An error has it called again.
func (h *Handler) OnChange(ctx context.Context, change Change) error {
	if change.Rebuilding {
		// A rebuild fills the view again: nothing has happened.
		return nil
	}
	return nil
}
