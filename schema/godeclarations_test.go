package schema_test

import (
	"testing"

	"github.com/esgen/esgen/schema"
)

func enumField(name string, values ...string) *schema.Field {
	return &schema.Field{Name: name, Type: &schema.Type{Kind: schema.Enum, Values: values}}
}

func TestGoClashes(t *testing.T) {
	entity := schema.Entity{Key: "orderId"}
	for name, c := range map[string]struct {
		service     schema.Service
		first, next string // what clashes; "" and "" for nothing
	}{
		"none": {service: schema.Service{Events: []*schema.Event{{Name: "OrderPlaced"}}}},
		"two spellings of an event": {
			schema.Service{Events: []*schema.Event{{Name: "UserIdSet"}, {Name: "UserIDSet"}}},
			`event "UserIdSet"`, `event "UserIDSet"`,
		},
		"event and function": {schema.Service{Events: []*schema.Event{{Name: "Types"}}}, "", `event "Types"`},
		"two spellings of a value": {
			schema.Service{Events: []*schema.Event{{Name: "E", Fields: []*schema.Field{enumField("f", "a-b", "a_b")}}}},
			`value "a-b" of field "f"`, `value "a_b" of field "f"`,
		},
		"value and event": {
			schema.Service{Events: []*schema.Event{{Name: "E", Fields: []*schema.Field{enumField("f", "x")}}, {Name: "EFX"}}},
			`value "x" of field "f"`, `event "EFX"`,
		},
		"field and key": {
			schema.Service{Events: []*schema.Event{{Name: "E", Fields: []*schema.Field{{Name: "orderID", Type: &schema.Type{Kind: schema.Int}}}}}},
			`field "orderId"`, `field "orderID"`,
		},
		"a field called like a method of what is sensitive": {
			schema.Service{Events: []*schema.Event{{Name: "E", Fields: []*schema.Field{enumField("format", "x"), enumField("logValueField", "x"),
				enumField("formatField", "x"), {Name: "secret", Type: &schema.Type{Kind: schema.String}, Sensitive: true}}}, {Name: "EFormatFieldFieldX"}}},
			`value "x" of field "format"`, `event "EFormatFieldFieldX"`,
		},
		"two views of one folder": {
			schema.Service{Views: []*schema.View{{Name: "default", KeyedByEntity: true}, {Name: "default-view", KeyedByEntity: true}}},
			`view "default"`, `view "default-view"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.service.Entity = entity
			clashes := c.service.GoClashes()
			if c.next == "" {
				if len(clashes) > 0 {
					t.Fatalf("got %v, want none", clashes)
				}
				return
			}
			if len(clashes) != 1 || clashes[0].First.What != c.first || clashes[0].Second.What != c.next {
				t.Fatalf("got %v, want %q against %q", clashes, c.first, c.next)
			}
		})
	}
}
