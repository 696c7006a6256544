package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// orders is the example service.
var orders = domain{
	name:  "orders",
	key:   "orderId",
	views: map[string]string{"default": "orderId", "customer-summary": "customerId"},
	indexes: []index{
		{"default", "status", "status", "placedAt", true},
	},
	next: nextOrder,
	fold: foldOrders,
}

func nextOrder(r *rand.Rand, _ string) object {
	switch r.IntN(5) {
	case 0, 1:
		e := object{"type": "OrderPlaced", "customerId": []string{"ann", "bob", "cid"}[r.IntN(3)],
			"items": []any{object{"sku": "A-1", "quantity": 1 + r.IntN(3), "unitPrice": json.Number("9.50")}},
			"total": json.Number(fmt.Sprintf("%d.%02d", r.IntN(900), r.IntN(100)))}
		if r.IntN(2) == 0 {
			e["placedAt"] = fmt.Sprintf("2024-05-0%dT12:00:00+02:00", 1+r.IntN(9))
		}
		return e
	case 2:
		return object{"type": "OrderShipped", "carrier": []string{"DHL", "UPS"}[r.IntN(2)]}
	case 3:
		return object{"type": "OrderDelivered"}
	}
	return object{"type": "OrderCancelled", "reason": "changed my mind"}
}

func foldOrders(histories map[string][]object) map[string]map[string]object {
	all, customers, seen := map[string]object{}, map[string]object{}, map[string]object{}
	states := map[string]string{"OrderPlaced": "placed", "OrderShipped": "shipped", "OrderDelivered": "delivered", "OrderCancelled": "cancelled"}
	for id, events := range histories {
		for _, e := range events {
			o := record(all, id, func() object { return object{"orderId": id, "customerId": "", "total": json.Number("0")} })
			for k, v := range take(e, "customerId", "total", "placedAt", "carrier", "version") {
				o[k] = v
			}
			o["status"] = states[text(e["type"])]
			if e["type"] != "OrderPlaced" {
				continue
			}
			customer := text(e["customerId"])
			c := record(customers, customer, func() object { return object{"customerId": customer, "orders": 0, "spent": json.Number("0")} })
			c["orders"], c["spent"] = sum(c["orders"], 1), sum(c["spent"], e["total"])
			if later(seen, customer, id, e) {
				c["lastOrderAt"] = e["placedAt"]
			}
		}
	}
	return map[string]map[string]object{"default": all, "customer-summary": customers}
}
