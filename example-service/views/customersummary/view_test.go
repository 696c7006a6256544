package customersummary

import (
	"testing"
	"time"

	"example.com/orders/events"
	"example.com/orders/types"
	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/estest"
)

func order(id, customer, total string, placed time.Time) events.OrderPlaced {
	return events.OrderPlaced{
		OrderID:    id,
		CustomerID: customer,
		Currency:   types.CurrencyEUR,
		Items:      []types.LineItem{{Sku: "CUP-1", Quantity: 1, UnitPrice: es.MustDecimal(total)}},
		Total:      es.MustDecimal(total),
		PlacedAt:   placed,
	}
}

func TestOrdersAddUp(t *testing.T) {
	monday := time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	tuesday := monday.AddDate(0, 0, 1)

	estest.Given(t, Definition(),
		order("o-1", "ann", "19.90", monday),
		order("o-2", "bob", "5.00", monday),
		order("o-3", "ann", "0.10", tuesday),
	).InAnyOrder().Want(
		View{CustomerID: "ann", Orders: 2, Spent: es.MustDecimal("20.00"), LastOrderAt: &tuesday},
		View{CustomerID: "bob", Orders: 1, Spent: es.MustDecimal("5.00"), LastOrderAt: &monday},
	)
}

func TestManyCentsStayExact(t *testing.T) {
	placed := time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	var orders []es.Event
	for range 10 {
		orders = append(orders, order("o-"+string(rune('a'+len(orders))), "ann", "0.1", placed))
	}

	estest.Given(t, Definition(), orders...).Want(
		View{CustomerID: "ann", Orders: 10, Spent: es.MustDecimal("1.0"), LastOrderAt: &placed},
	)
}
