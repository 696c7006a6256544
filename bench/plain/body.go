package plain

// Body is the request that is measured, 555 bytes with four items.
const Body = `{"type":"OrderPlaced","orderId":"ord-2026-000017","customerId":"3f8c9a52-6d0e-4b7a-9c1d-2e5f7a8b9c0d","currency":"EUR",` +
	`"items":[{"sku":"TEA-100","title":"Green tea, 100 g","quantity":2,"unitPrice":4.95},` +
	`{"sku":"CUP-7","title":"Cup, glazed blue","quantity":4,"unitPrice":12.50},` +
	`{"sku":"POT-22","title":"Pot of cast iron","quantity":1,"unitPrice":64.00},` +
	`{"sku":"TRAY-3","title":"Tray of bamboo, large","quantity":1,"unitPrice":23.90}],` +
	`"total":147.80,"placedAt":"2026-03-01T10:15:30.250Z","note":"Please ring twice and leave it with the neighbours."}`

// Schema says of the body what the decoder checks.
const Schema = `{"type":"object","additionalProperties":false,
"required":["type","orderId","customerId","items","total"],
"properties":{
 "type":{"const":"OrderPlaced"},
 "orderId":{"type":"string","minLength":1,"maxLength":256},
 "customerId":{"type":"string","format":"uuid"},
 "currency":{"type":"string","enum":["EUR","USD","GBP"]},
 "channel":{"type":"string","enum":["web","phone"]},
 "items":{"type":"array","minItems":1,"maxItems":100,"items":{"type":"object","additionalProperties":false,
  "required":["sku","title","quantity","unitPrice"],"properties":{
   "sku":{"type":"string","minLength":1,"maxLength":64},"title":{"type":"string","maxLength":200},
   "quantity":{"type":"integer","minimum":1,"maximum":1000},"unitPrice":{"type":"number","minimum":0}}}},
 "total":{"type":"number","minimum":0},
 "placedAt":{"type":"string","format":"date-time"},
 "note":{"type":["string","null"],"maxLength":500}}}`
