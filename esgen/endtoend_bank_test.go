package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

var bank = domain{
	name:  "bank",
	key:   "transferId",
	views: map[string]string{"default": "transferId", "balance": "accountId"},
	indexes: []index{
		{"default", "status", "status", "amount", true},
		{"default", "account", "toAccount", "", false},
		{"balance", "currency", "currency", "balance", true},
	},
	next: nextTransfer,
	fold: foldBank,
}

func nextTransfer(r *rand.Rand, _ string) object {
	account := func() string { return fmt.Sprintf("DE%04d", r.IntN(12)) }
	amount := func() json.Number { return json.Number(fmt.Sprintf("%d.%02d", 1+r.IntN(5000), r.IntN(100))) }
	currency := []string{"EUR", "USD", "JPY"}[r.IntN(3)]
	switch r.IntN(6) {
	case 0:
		return object{"type": "CashDeposited", "toAccount": account(), "amount": amount(), "currency": currency}
	case 1, 2:
		e := object{"type": "TransferRequested", "fromAccount": account(), "toAccount": account(), "amount": amount()}
		if r.IntN(2) == 0 {
			e["reference"] = "rent, \u00e9t\u00e9 \U0001F3E0"
		}
		return e
	case 3, 4:
		e := object{"type": "TransferSettled", "fromAccount": account(), "toAccount": account(), "amount": amount(), "currency": currency}
		if r.IntN(2) == 0 {
			e["fee"] = json.Number("0.35")
		}
		return e
	}
	return object{"type": "TransferRejected", "code": []string{"no-funds", "1st-check", "unknown account"}[r.IntN(3)]}
}

func foldBank(histories map[string][]object) map[string]map[string]object {
	transfers, balances := map[string]object{}, map[string]object{}
	seen := map[string]object{}
	states := map[string]string{
		"CashDeposited": "settled", "TransferRequested": "requested", "TransferSettled": "settled", "TransferRejected": "rejected",
	}
	for id, events := range histories {
		for _, e := range events {
			transfer := record(transfers, id, func() object {
				return object{"transferId": id, "toAccount": "", "amount": json.Number("0"), "fee": json.Number("0")}
			})
			for k, v := range take(e, "fromAccount", "toAccount", "amount", "currency", "fee", "code", "version") {
				transfer[k] = v
			}
			transfer["status"] = states[text(e["type"])]

			move := func(account string, amounts ...string) {
				b := record(balances, account, func() object {
					return object{"accountId": account, "balance": json.Number("0"), "movements": 0, "currency": "XXX"}
				})
				for _, a := range amounts {
					b["balance"] = sum(b["balance"], a)
				}
				b["movements"] = sum(b["movements"], 1)
				if later(seen, account, id, e) {
					b["currency"], b["lastMovementAt"] = e["currency"], e["time"]
				}
			}
			amount, from, to := text(e["amount"]), text(e["fromAccount"]), text(e["toAccount"])
			switch e["type"] {
			case "CashDeposited":
				move(to, amount)
			case "TransferSettled":
				fee := text(e["fee"])
				if from == to {
					move(from, "-"+amount, "-"+fee, amount)
				} else {
					move(from, "-"+amount, "-"+fee)
					move(to, amount)
				}
			}
		}
	}
	return map[string]map[string]object{"default": transfers, "balance": balances}
}
