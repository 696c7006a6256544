package es

import (
	"strconv"
	"strings"
)

// The functions of this file put answers together from texts that are JSON already.

// appendMember appends a member with a string, and the comma before it. name
// needs no escapes.
func appendMember(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return AppendString(b, value)
}

// appendMembers appends the members of a JSON object, with a comma before them.
func appendMembers(b []byte, object string) []byte {
	if len(object) <= len("{}") {
		return b
	}
	b = append(b, ',')
	return append(b, object[1:len(object)-1]...)
}

// appendEvent appends a stored event as POST answers it: what was sent, in canonical form.
func (m *Model) appendEvent(b []byte, r *Recorded, withRevision bool) []byte {
	b = append(b, `{"type":`...)
	b = AppendString(b, r.Type)
	b = appendMember(b, m.Key.Name, r.EntityID)
	b = appendMembers(b, r.Payload)
	b = appendMember(b, "eventId", r.EventID)
	b = append(b, `,"version":`...)
	b = strconv.AppendInt(b, r.Version, 10)
	if withRevision && r.Revision > 1 {
		b = append(b, `,"revision":`...)
		b = strconv.AppendInt(b, int64(r.Revision), 10)
	}
	b = append(b, `,"time":`...)
	b = AppendTime(b, r.Time.UTC())
	b = appendEventMeta(b, r)
	return append(b, '}')
}

func appendEventMeta(b []byte, r *Recorded) []byte {
	if r.CorrelationID == "" && r.CausationID == "" {
		return b
	}
	b = append(b, `,"meta":`...)
	start := len(b)
	if r.CorrelationID != "" {
		b = appendMember(b, "correlationId", r.CorrelationID)
	}
	if r.CausationID != "" {
		b = appendMember(b, "causationId", r.CausationID)
	}
	return AppendObjectEnd(b, start)
}

// appendRecord appends a record of a view as it is answered. version is that of a
// view keyed by the entity.
func appendRecord(b []byte, v *View, payload string, version int64) []byte {
	if !v.KeyedByEntity() || len(payload) < len("{}") {
		return append(b, payload...)
	}
	b = append(b, payload[:len(payload)-1]...)
	if len(payload) > len("{}") {
		b = append(b, ',')
	}
	b = append(b, `"version":`...)
	b = strconv.AppendInt(b, version, 10)
	return append(b, '}')
}

// historyPath is the address of an entity's history below base: the path form where it
// is promised, the query form for every other id.
func historyPath(base, id string) string {
	if promisedInPath(id) {
		return base + "/events/" + id
	}
	return base + "/events?id=" + escapeQuery(id)
}

// promisedInPath reports whether an id means itself in every path, however
// gateways decode and clean it.
func promisedInPath(id string) bool {
	if id == "" || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !alphanumeric(c) && strings.IndexByte("-._~:@+,=", c) < 0 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// escapeQuery escapes everything but RFC 3986's unreserved characters, so that what
// comes out is safe in a header, and a space never a plus sign.
func escapeQuery(s string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+8)
	for i := range len(s) {
		if c := s[i]; alphanumeric(c) || strings.IndexByte("-._~", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}
