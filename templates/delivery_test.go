package templates

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/esgen/esgen/schema"
)

func TestStreamsHaveTwoReadersAtMost(t *testing.T) {
	views := []*schema.View{{Name: "default"}, {Name: "by-customer"}}
	consumer := func(name string, v *schema.View) *schema.Consumer { return &schema.Consumer{Name: name, View: v} }
	of := func(n int, v *schema.View) (all []*schema.Consumer) {
		for i := range n {
			all = append(all, consumer(fmt.Sprintf("c%d", i), v))
		}
		return all
	}
	for _, c := range []struct {
		events, first, second int
		want                  []string
	}{
		{0, 0, 0, nil},
		{1, 2, 0, []string{"events 1 direct", "default 2 direct"}},
		{2, 0, 3, []string{"events 2 relay", "by-customer 3 relay-by-customer"}},
		{0, 3, 1, []string{"default 3 relay-default", "by-customer 1 direct"}},
	} {
		s := &schema.Service{Views: views}
		s.Consumers = append(of(c.second, views[1]), of(c.events, nil)...)
		s.Consumers = append(s.Consumers, of(c.first, views[0])...)
		var got, relays []string
		for _, d := range deliveriesOf(s) {
			stream, how := "events", "direct"
			if d.View != nil {
				stream = d.View.Name
			}
			if d.Relayed {
				how = d.relay()
				relays = append(relays, how)
			}
			got = append(got, fmt.Sprint(stream, " ", len(d.Consumers), " ", how))
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
		if n := len(deliveriesOf(s).relays()); n != len(relays) {
			t.Errorf("%+v: %d relays", c, n)
		}
	}
}
