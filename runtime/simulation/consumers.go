package simulation

// consumer is one consumer of the service.
type consumer struct {
	appended map[string]string
}
