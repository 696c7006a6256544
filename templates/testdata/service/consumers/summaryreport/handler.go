package summaryreport

import "context"

// Handler keeps what the methods share, such as clients of other services.
type Handler struct{}

// New makes the handler, once per cold start. env.Service appends events to
// this service.
func New(ctx context.Context, env Env) (*Handler, error) {
	return &Handler{}, nil
}

// OnChange is called when a record of the view "customer-summary" has changed:
// at least once, usually in order. An error has it called again.
func (h *Handler) OnChange(ctx context.Context, change Change) error {
	if change.Rebuilding {
		// A rebuild fills the view again: nothing has happened.
		return nil
	}
	return nil
}
