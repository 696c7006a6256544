package es_test

import (
	"encoding/json"
	"regexp"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// parcelSent has a field of every kind, with every check, decoded as generated
// code decodes it. parcelSchema says the same as JSON Schema.
type parcelSent struct {
	ParcelID string
	Name     string
	Count    int64
	Weight   float64
	Price    es.Decimal
	Fragile  bool
	SentAt   time.Time
	Due      es.Date
	Label    es.UUID
	Seal     []byte
	Extra    json.RawMessage
	Size     string
	Mail     *string
	Tags     []string
	Boxes    []box
	Prices   map[string]es.Decimal
	Ref      es.UUID
}

type box struct {
	Code string
	Deep map[string]int64
	ID   es.UUID
}

var codePattern = regexp.MustCompile("^[A-Z]+$")

func (b *box) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	var seen uint64
	for d.Member() {
		switch d.Name() {
		case "code":
			seen |= 1 << 0
			if d.String(&b.Code) {
				d.MaxLength(4)
				d.Pattern(codePattern)
			}
		case "deep":
			if !d.Null() {
				if d.Object() {
					b.Deep = map[string]int64{}
					for d.Member() {
						name := d.Name()
						var value int64
						if d.Int(&value) {
							d.MinInt(0)
							d.MaxInt(9)
						}
						b.Deep[name] = value
					}
					d.MinProperties(1)
					d.MaxProperties(3)
				}
			}
		case "id":
			seen |= 1 << 1
			d.UUID(&b.ID)
		default:
			d.Unknown()
		}
	}
	if seen&(1<<0) == 0 {
		d.Missing("code")
	}
	if seen&(1<<1) == 0 {
		b.ID = d.NewUUID("id")
	}
}

func (b box) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"code":`...), b.Code)
	if b.Deep != nil {
		dst = append(dst, `,"deep":`...)
		deep, _ := json.Marshal(b.Deep)
		dst = es.AppendRaw(dst, deep)
	}
	dst = es.AppendUUID(append(dst, `,"id":`...), b.ID)
	return es.AppendObjectEnd(dst, start)
}

func (parcelSent) EventType() string  { return "ParcelSent" }
func (p parcelSent) EntityID() string { return p.ParcelID }

// parcelRequired are the members without a default, in the order of their bits.
var parcelRequired = []string{"name", "count", "weight", "price", "fragile", "due", "label", "seal", "extra", "size", "tags", "boxes"}

func (p *parcelSent) Decode(d *es.Decoder) {
	if !d.Object() {
		return
	}
	seen := map[string]bool{}
	for d.Member() {
		seen[d.Name()] = true
		p.decodeMember(d)
	}
	for _, name := range parcelRequired {
		if !seen[name] {
			d.Missing(name)
		}
	}
	if !seen["sentAt"] {
		p.SentAt = d.Now()
	}
	if !seen["ref"] {
		p.Ref = d.NewUUID("ref")
	}
}

func (p *parcelSent) decodeMember(d *es.Decoder) {
	switch d.Name() {
	case "name":
		if d.String(&p.Name) {
			d.MinLength(2)
			d.MaxLength(6)
		}
	case "count":
		if d.Int(&p.Count) {
			d.MinInt(-3)
			d.MaxInt(1000000)
			d.MultipleOf("3")
		}
	case "weight":
		if d.Float(&p.Weight) {
			d.ExclusiveMinimum("0.1")
			d.ExclusiveMaximum("1e30")
			d.MultipleOf("0.05")
		}
	case "price":
		if d.Decimal(&p.Price) {
			d.Minimum("0")
			d.Maximum("99999999999999999999.5")
			d.EnumNumbers("1", "2.50", "0", "99999999999999999999.5")
		}
	case "fragile":
		if d.Bool(&p.Fragile) {
			d.EnumBool(true)
		}
	case "sentAt":
		d.Time(&p.SentAt)
	case "due":
		d.Date(&p.Due)
	case "label":
		d.UUID(&p.Label)
	case "ref":
		d.UUID(&p.Ref)
	case "seal":
		if d.Bytes(&p.Seal) {
			d.MinBytes(1)
			d.MaxBytes(3)
		}
	case "extra":
		d.JSON(&p.Extra)
	case "size":
		if d.String(&p.Size) {
			d.EnumStrings("small", "large")
		}
	case "mail":
		if !d.Null() {
			p.Mail = new(string)
			if d.String(p.Mail) {
				d.Format("email")
			}
		}
	case "tags":
		if d.List() {
			p.Tags = es.NewList[string](d)
			for d.Element() {
				if d.String(es.Append(&p.Tags)) {
					d.MinLength(1)
				}
			}
			d.UniqueItems()
		}
	case "boxes":
		if d.List() {
			p.Boxes = es.NewList[box](d)
			for d.Element() {
				es.Append(&p.Boxes).Decode(d)
			}
			d.MinItems(1)
			d.MaxItems(2)
			d.UniqueItems()
		}
	case "prices":
		if !d.Null() && d.Object() {
			p.Prices = map[string]es.Decimal{}
			for d.Member() {
				name := d.Name()
				var value es.Decimal
				if d.Decimal(&value) {
					d.Minimum("0.5")
				}
				p.Prices[name] = value
			}
		}
	default:
		d.Unknown()
	}
}

func (p parcelSent) AppendJSON(dst []byte) []byte {
	start := len(dst)
	dst = es.AppendString(append(dst, `,"name":`...), p.Name)
	dst = es.AppendInt(append(dst, `,"count":`...), p.Count)
	dst = es.AppendFloat(append(dst, `,"weight":`...), p.Weight)
	dst = es.AppendDecimal(append(dst, `,"price":`...), p.Price)
	dst = es.AppendBool(append(dst, `,"fragile":`...), p.Fragile)
	dst = es.AppendTime(append(dst, `,"sentAt":`...), p.SentAt)
	dst = es.AppendDate(append(dst, `,"due":`...), p.Due)
	dst = es.AppendUUID(append(dst, `,"label":`...), p.Label)
	dst = es.AppendBytes(append(dst, `,"seal":`...), p.Seal)
	dst = es.AppendRaw(append(dst, `,"extra":`...), p.Extra)
	dst = es.AppendString(append(dst, `,"size":`...), p.Size)
	if p.Mail != nil {
		dst = es.AppendString(append(dst, `,"mail":`...), *p.Mail)
	}
	dst = append(dst, `,"tags":`...)
	list := len(dst)
	for _, tag := range p.Tags {
		dst = es.AppendString(append(dst, ','), tag)
	}
	dst = append(es.AppendListEnd(dst, list), `,"boxes":`...)
	list = len(dst)
	for _, b := range p.Boxes {
		dst = b.AppendJSON(append(dst, ','))
	}
	dst = es.AppendListEnd(dst, list)
	if p.Prices != nil {
		prices, _ := json.Marshal(p.Prices)
		dst = es.AppendRaw(append(dst, `,"prices":`...), prices)
	}
	dst = es.AppendUUID(append(dst, `,"ref":`...), p.Ref)
	return es.AppendObjectEnd(dst, start)
}

const parcelSchema = `{
"type":"object","additionalProperties":false,
"required":["type","parcelId","name","count","weight","price","fragile","due","label","seal","extra","size","tags","boxes"],
"properties":{
 "type":{"const":"ParcelSent"},
 "parcelId":{"type":"string","minLength":2,"maxLength":8,"pattern":"^[a-z0-9-]+$"},
 "eventId":{"type":["string","null"],"minLength":1,"maxLength":128,"pattern":"^[!-~]*$"},
 "expectedVersion":{"type":["integer","null"],"minimum":0,"maximum":9223372036854775807},
 "meta":{"type":["object","null"],"additionalProperties":false,"properties":{"correlationId":{"type":["string","null"]},"causationId":{"type":["string","null"]}}},
 "name":{"type":"string","minLength":2,"maxLength":6},
 "count":{"type":"integer","minimum":-3,"maximum":1000000,"multipleOf":3},
 "weight":{"type":"number","exclusiveMinimum":0.1,"exclusiveMaximum":1e30,"multipleOf":0.05},
 "price":{"type":"number","minimum":0,"maximum":99999999999999999999.5,"enum":[1,2.50,0,99999999999999999999.5]},
 "fragile":{"type":"boolean","enum":[true]},
 "sentAt":{"type":"string","format":"date-time","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"},
 "due":{"type":"string","format":"date"},
 "label":{"type":"string","format":"uuid"},
 "ref":{"type":"string","format":"uuid"},
 "seal":{"type":"string","minLength":4,"maxLength":4,"pattern":"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"},
 "extra":{"type":["object","array","string","number","boolean"]},
 "size":{"type":"string","enum":["small","large"]},
 "mail":{"type":["string","null"],"format":"email"},
 "tags":{"type":"array","items":{"type":"string","minLength":1},"uniqueItems":true},
 "boxes":{"type":"array","minItems":1,"maxItems":2,"uniqueItems":true,"items":{
   "type":"object","additionalProperties":false,"required":["code"],"properties":{
     "code":{"type":"string","maxLength":4,"pattern":"^[A-Z]+$"},
     "deep":{"type":["object","null"],"additionalProperties":{"type":"integer","minimum":0,"maximum":9},"minProperties":1,"maxProperties":3},
     "id":{"type":"string","format":"uuid"}}}},
 "prices":{"type":["object","null"],"additionalProperties":{"type":"number","minimum":0.5}}
}}`

// parcelModel is a service with the one event ParcelSent.
func parcelModel() *es.Model {
	return &es.Model{
		Service: "parcels",
		Key:     es.KeyRule{Name: "parcelId", Pattern: "^[a-z0-9-]+$", MinLength: 2, MaxLength: 8},
		Events: []es.EventType{{Name: "ParcelSent", Revision: 1,
			New: func(id string) es.DecodableEvent { return &parcelSent{ParcelID: id} }}},
	}
}

// goodParcel is a valid body, members in the order of the type.
const goodParcel = `{"type":"ParcelSent","parcelId":"p-1","name":"Zoë","count":6,"weight":1.05,"price":2.50,"fragile":true,` +
	`"sentAt":"2026-03-01T10:00:00.120+01:00","due":"2026-03-02","label":"A0B1C2D3-0000-4000-8000-00000000000F","seal":"AAE=",` +
	`"extra":{"b": [1.0, null, "\u00e9"], "a":{}},"size":"small","mail":"a@b.example","tags":["x","y"],` +
	`"boxes":[{"code":"AB","deep":{"k":1}},{"code":"C","id":"00000000-0000-0000-0000-000000000001"}],"prices":{"x":0.50}}`
