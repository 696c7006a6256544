package defaultview

import (
	"testing"
	"time"

	"example.com/orders/events"
	"example.com/orders/types"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
)

var placedAt = time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC)

var placed = events.OrderPlaced{
	OrderID:    "o-1",
	CustomerID: "ann",
	Currency:   types.CurrencyEUR,
	Items:      []types.LineItem{{Sku: "CUP-1", Quantity: 2, UnitPrice: es.MustDecimal("9.95")}},
	Total:      es.MustDecimal("19.90"),
	PlacedAt:   placedAt,
}

func TestPlaced(t *testing.T) {
	estest.Given(t, Definition(), placed).Want(View{
		OrderID: "o-1", CustomerID: "ann", Status: ViewStatusPlaced, Total: es.MustDecimal("19.90"), PlacedAt: placedAt,
	})
}

func TestShippedNamesTheCarrier(t *testing.T) {
	carrier := "Snail Mail"
	estest.Given(t, Definition(), placed,
		events.OrderShipped{OrderID: "o-1", Carrier: carrier, ShippedAt: placedAt.Add(time.Hour)},
	).Want(View{
		OrderID: "o-1", CustomerID: "ann", Status: ViewStatusShipped, Total: es.MustDecimal("19.90"), PlacedAt: placedAt,
		Carrier: &carrier,
	})
}

func TestCancelledKeepsWhatWasOrdered(t *testing.T) {
	estest.Given(t, Definition(), placed, events.OrderCancelled{OrderID: "o-1"}).Want(View{
		OrderID: "o-1", CustomerID: "ann", Status: ViewStatusCancelled, Total: es.MustDecimal("19.90"), PlacedAt: placedAt,
	})
}
