package sample

import es "github.com/esgen/esgen/runtime"

// Moved is a small event: most of what a history is made of.
type Moved struct {
	AccountID string
	Amount    int64
	Purpose   string
}

// EventType implements es.Event.
func (e Moved) EventType() string { return "Moved" }

// EntityID implements es.Event.
func (e Moved) EntityID() string { return e.AccountID }

// AppendJSON implements es.Event.
func (e Moved) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendInt(append(dst, `,"amount":`...), e.Amount)
	dst = es.AppendString(append(dst, `,"purpose":`...), e.Purpose)
	return es.AppendObjectEnd(dst, start)
}

// Decode implements es.DecodableEvent.
func (e *Moved) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch d.Name() {
		case "amount":
			seen |= 1 << 0
			d.Int(&e.Amount)
		case "purpose":
			seen |= 1 << 1
			d.String(&e.Purpose)
		default:
			d.Unknown()
		}
	}
	if seen&(1<<0) == 0 {
		d.Missing("amount")
	}
	if seen&(1<<1) == 0 {
		d.Missing("purpose")
	}
}

// Balance is a record of the view balance.
type Balance struct {
	AccountID string
	Moves     int64
	Amount    int64
}

// Fold implements es.Record.
func (v *Balance) Fold(event es.Event, meta es.Meta) error {
	switch e := event.(type) {
	case *Moved:
		return onMoved(v, *e, meta)
	}
	return nil
}

// onMoved is what a user would write.
func onMoved(view *Balance, event Moved, _ es.Meta) error {
	view.Moves++
	view.Amount += event.Amount
	return nil
}

// Load implements es.Record.
func (v *Balance) Load(payload string) error { return es.DecodeStored(payload, v) }

// Decode reads a stored record.
func (v *Balance) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	for d.Member() {
		switch d.Name() {
		case "accountId":
			d.String(&v.AccountID)
		case "moves":
			d.Int(&v.Moves)
		case "amount":
			d.Int(&v.Amount)
		default:
			d.Unknown()
		}
	}
}

// AppendJSON implements es.Record.
func (v *Balance) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"accountId":`...), v.AccountID)
	dst = es.AppendInt(append(dst, `,"moves":`...), v.Moves)
	dst = es.AppendInt(append(dst, `,"amount":`...), v.Amount)
	return es.AppendObjectEnd(dst, start)
}

// AppendIndexEntries implements es.Record.
func (v *Balance) AppendIndexEntries(dst []es.IndexEntry) []es.IndexEntry { return dst }

// BalanceView describes the view balance.
func BalanceView() es.View {
	return es.View{Name: "balance", Revision: 1, KeyName: "accountId", Events: []string{"Moved"},
		New: func(key string) es.Record { return &Balance{AccountID: key} }}
}

// AccountModel describes the service of the accounts.
func AccountModel() *es.Model {
	return &es.Model{
		Service: "accounts", Key: es.KeyRule{Name: "accountId"},
		Events: []es.EventType{{Name: "Moved", Revision: 1, FromNone: true,
			New: func(id string) es.DecodableEvent { return &Moved{AccountID: id} }}},
		Views: []es.View{BalanceView()},
	}
}
