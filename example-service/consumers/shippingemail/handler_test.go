package shippingemail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/orders/events"
	es "github.com/esgen/esgen/runtime"
)

func TestOneMailPerShipping(t *testing.T) {
	outbox := t.TempDir()
	t.Setenv("OUTBOX", outbox)
	handler, err := New(t.Context(), Env{})
	if err != nil {
		t.Fatal(err)
	}
	code := "SM-1"
	shipped := events.OrderShipped{
		OrderID: "o-1", Carrier: "Snail Mail", TrackingCode: &code,
		ShippedAt: time.Date(2026, time.January, 3, 9, 0, 0, 0, time.UTC),
	}

	for range 2 { // delivered twice
		if err := handler.OnOrderShipped(t.Context(), shipped, es.Meta{EventID: "e-1"}); err != nil {
			t.Fatal(err)
		}
	}

	mails, _ := filepath.Glob(filepath.Join(outbox, "*.eml"))
	if len(mails) != 1 {
		t.Fatalf("%d mails, want 1", len(mails))
	}
	text, err := os.ReadFile(mails[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"o-1", "Snail Mail", "3 January 2026", "SM-1"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the mail does not mention %q:\n%s", want, text)
		}
	}
}
