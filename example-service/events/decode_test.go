package events

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// FuzzSubmission feeds the generated decoders with whatever may come over HTTP.
// What they refuse they refuse with reasons; what they accept is valid JSON in its stored form and
// decodes to the same stored form again.
func FuzzSubmission(f *testing.F) {
	for _, body := range []string{
		`{"type":"OrderPlaced","orderId":"o-1","customerId":"c","currency":"EUR","items":[{"sku":"A","quantity":1,"unitPrice":1.50}],"total":1.5e0}`,
		`{"orderId":"o-1","type":"OrderShipped","carrier":"\ud83d\ude00","trackingCode":null,"shippedAt":"2024-02-29T23:59:59.123456789+05:30"}`,
		`{"type":"OrderCancelled","orderId":"o-1","reason":"","eventId":"e","expectedVersion":0,"meta":{"correlationId":"c"}}`,
		`{"type":"OrderPlaced","orderId":1,"items":{},"total":"x","total":1e999,"nope":[[[[]]]]}`,
		`[`, ``, `null`, "\ufeff{}",
	} {
		f.Add([]byte(body))
	}
	model := &es.Model{Service: "orders", Key: Key(), States: States(), Events: Types()}
	now := time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := model.DecodeSubmission(body, now)
		if invalid, ok := errors.AsType[*es.InvalidError](err); ok {
			if len(invalid.Violations) == 0 {
				t.Fatalf("%q is refused without a reason", body)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if !json.Valid([]byte(s.Payload)) {
			t.Fatalf("%q is stored as %q", body, s.Payload)
		}
		stored, err := model.LoadEvent(&es.Recorded{
			EntityID: s.EntityID, Version: 1, Type: s.Type.Name, Revision: 1, Time: now, Payload: s.Payload,
		})
		if err != nil {
			t.Fatalf("%q is stored as %q, which does not decode: %v", body, s.Payload, err)
		}
		if again := string(stored.AppendJSON(nil)); again != s.Payload {
			t.Fatalf("%q is stored as %q, and after decoding as %q", body, s.Payload, again)
		}
	})
}
