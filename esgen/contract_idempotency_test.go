package main

import (
	"strings"
	"testing"
)

func testSameEventAgain(t *testing.T, c contract) {
	first := c.place(t, "again", `"eventId":"e","note":"n"`)
	c.ship(t, "again")
	for name, body := range map[string]string{
		"member order":      `{"eventId":"e","total":9.50,"note":"n","items":[{"unitPrice":9.50,"sku":"CUP-1","quantity":1}],"customerId":"ann","orderId":"again","type":"OrderPlaced"}`,
		"numbers":           `{"type":"OrderPlaced","orderId":"again","customerId":"ann","items":[{"sku":"CUP-1","quantity":1.0,"unitPrice":9.5}],"total":95e-1,"note":"n","eventId":"e"}`,
		"escapes and space": ` { "type" : "OrderPlaced" , "orderId":"\u0061gain","customerId":"\u0061nn","items":[{"sku":"CUP-1","quantity":1,"unitPrice":9.50}],"total":9.50,"note":"n","eventId":"\u0065" } `,
		"envelope":          placed("again", `"note":"n","eventId":"e","expectedVersion":44,"meta":{"correlationId":"other"}`),
		"as it was":         placed("again", `"note":"n","eventId":"e"`),
	} {
		a := c.post(t, body)
		a.want(t, 200, "")
		a.headers(t, map[string]string{"Idempotency-Replayed": "true", "ETag": `"1"`, "Location": "/events/again"})
		if a.body != first.body {
			t.Errorf("%s: %s\nat first %s", name, a.body, first.body)
		}
	}
	plain := c.place(t, "again-2", `"eventId":"e"`) // an id counts within its entity
	null := c.post(t, placed("again-2", `"eventId":"e","note":null`))
	null.want(t, 200, "")
	if null.body != plain.body {
		t.Errorf("null for an absent optional: %s", null.body)
	}
	if n := len(c.get(t, "/events/again").items(t)); n != 2 {
		t.Errorf("%d events are stored", n)
	}
}

func testOtherContent(t *testing.T, c contract) {
	c.place(t, "other", `"eventId":"e"`)
	for name, body := range map[string]string{
		"explicit default": placed("other", `"eventId":"e","currency":"EUR"`),
		"another optional": placed("other", `"eventId":"e","note":""`),
		"another type":     event("OrderShipped", "other", `"carrier":"x","eventId":"e"`),
		"another number":   strings.Replace(placed("other", `"eventId":"e"`), `"total":9.50`, `"total":9.51`, 1),
	} {
		a := c.post(t, body)
		a.want(t, 422, "event-id-reused")
		a.members(t, object{"eventId": "e"})
		if a.status != 422 {
			t.Error(name)
		}
	}
	c.place(t, "other-2", `"eventId":"e","placedAt":"2026-01-01T00:00:00Z"`)
	c.post(t, placed("other-2", `"eventId":"e","placedAt":"2026-01-01T00:00:00.0Z"`)).want(t, 422, "event-id-reused")
	if n := len(c.get(t, "/events/other").items(t)); n != 1 {
		t.Errorf("%d events are stored", n)
	}
}

func testIdempotencyKey(t *testing.T, c contract) {
	first := c.post(t, placed("key", ""), "Idempotency-Key", `"k-1"`)
	first.want(t, 201, "")
	first.members(t, object{"eventId": "k-1"})
	c.post(t, placed("key", ""), "Idempotency-Key", "k-1").want(t, 200, "")
	c.post(t, placed("key", `"eventId":"k-1"`)).want(t, 200, "")
	c.post(t, placed("key", `"eventId":"k-1"`), "Idempotency-Key", `"k-1"`).want(t, 200, "")
	c.post(t, placed("key", `"eventId":"k-2"`), "Idempotency-Key", "k-1").want(t, 400, "invalid")
	for _, key := range []string{`""`, `a b`, `"`, strings.Repeat("k", 129), "é"} {
		a := c.post(t, placed("key-2", ""), "Idempotency-Key", key)
		if key == `"` {
			a.want(t, 201, "") // one quote is a character like any other
			continue
		}
		a.want(t, 400, "invalid")
	}
	long := strings.Repeat("k", 128)
	c.post(t, placed("key-3", ""), "Idempotency-Key", `"`+long+`"`).want(t, 201, "")
	c.post(t, placed("key-3", `"eventId":"`+long+`"`)).want(t, 200, "")
}

func testMadeEventID(t *testing.T, c contract) {
	a, b := c.place(t, "made-1", ""), c.place(t, "made-2", "")
	if a.json["eventId"] == b.json["eventId"] || !uuid7.MatchString(text(a.json["eventId"])) {
		t.Errorf("event ids %v and %v", a.json["eventId"], b.json["eventId"])
	}
	c.post(t, placed("made-1", `"eventId":`+jsonText(a.json["eventId"]))).want(t, 200, "")
}
