package customersummary

import (
	"testing"
	"time"

	"example.com/orders/events"
	"example.com/orders/types"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
)

// TestView folds events into the view, without a store or a server. Adapt what
// it wants to what the aggregators do.
func TestView(t *testing.T) {
	first := events.OrderPlaced{
		OrderID:    "order-1",
		CustomerID: "customer-1",
		Currency:   types.CurrencyEUR,
		Items:      []types.LineItem{{Sku: "SKU", Quantity: 1, UnitPrice: es.MustDecimal("1")}},
		Total:      es.MustDecimal("1"),
		PlacedAt:   time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC),
	}
	second := first
	second.OrderID = "order-2"

	// Events of different orders arrive in any order: each must give the same records.
	estest.Given(t, Definition(), first, second).InAnyOrder().Want(
		View{CustomerID: "customer-1"},
	)
}
