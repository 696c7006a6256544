package gateway

import (
	"net/http"
	"strconv"
	"strings"
)

// CORS is the configuration of an HTTP API.
type CORS struct {
	Origins, Methods, Headers, Expose []string
	MaxAge                            int // seconds, 0 is not said
	Credentials                       bool
}

// isPreflight reports whether a browser asks before it sends a request.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// allowed is the value of Access-Control-Allow-Origin for an origin, "" if it is not allowed.
func (c *CORS) allowed(origin string) string {
	for _, o := range c.Origins {
		switch {
		case o == "*":
			return "*"
		case strings.EqualFold(o, origin):
			return origin
		case strings.HasSuffix(o, "://*") && strings.HasPrefix(origin, strings.TrimSuffix(o, "*")):
			return origin
		}
	}
	return ""
}

// decorate adds headers to an answer. A function's own are dropped.
func (c *CORS) decorate(r *http.Request, h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
	origin := c.allowed(r.Header.Get("Origin"))
	if r.Header.Get("Origin") == "" || origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if origin != "*" {
		h.Add("Vary", "Origin")
	}
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.Expose) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.Expose, ","))
	}
}

// preflight answers the question.
func (c *CORS) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if origin := c.allowed(r.Header.Get("Origin")); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		set := func(name string, values []string) {
			if len(values) > 0 {
				h.Set(name, strings.ToLower(strings.Join(values, ",")))
			}
		}
		if len(c.Methods) > 0 {
			h.Set("Access-Control-Allow-Methods", strings.Join(c.Methods, ","))
		}
		set("Access-Control-Allow-Headers", c.Headers)
		set("Access-Control-Expose-Headers", c.Expose)
		if c.MaxAge > 0 {
			h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
		}
		if c.Credentials {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
	}
	w.WriteHeader(http.StatusNoContent)
}
