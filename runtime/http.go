package es

// Request is an HTTP request as every adapter hands it to the service: a local
// server, an HTTP API and a REST API all fill it in the same way.
type Request struct {
	Method   string
	Path     string // decoded once, without the gateway's stage or base path; starts with "/"
	RawQuery string // as sent, without "?"
	Base     string // the stage or base path that was cut off, "" or "/prod"
	Header   func(name string) string
	Body     []byte
	Actor    string // the caller's identity, "" when unknown
	ID       string // of the request, for logs and problems
}

// Response is what the service answers.
type Response struct {
	Status int
	Header []HeaderField
	Body   []byte
}

// HeaderField is one header line of a Response.
type HeaderField struct {
	Name, Value string
}
