package summaryreport

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	es "github.com/esgen/esgen/runtime"
)

func TestLoyalCustomersAreReportedOnce(t *testing.T) {
	var log bytes.Buffer
	h := &Handler{slog.New(slog.NewTextHandler(&log, nil))}
	spent := func(amount string) *View { return &View{CustomerID: "ann", Spent: es.MustDecimal(amount)} }

	for _, change := range []Change{
		{New: spent("999.99")},
		{Old: spent("999.99"), New: spent("1000.00")},
		{Old: spent("1000.00"), New: spent("1500")},
		{Old: spent("999.99"), New: spent("1000.00"), Rebuilding: true},
	} {
		if err := h.OnChange(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}

	if n := strings.Count(log.String(), "loyal customer"); n != 1 {
		t.Errorf("reported %d times, want once:\n%s", n, log.String())
	}
}
