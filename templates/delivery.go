package templates

import "github.com/esgen/esgen/schema"

// delivery is how the consumers of one stream get what is in it.
type delivery struct {
	View      *schema.View       // whose stream it is; nil for the stream of the events
	Consumers []*schema.Consumer // in schema order, at least one
	// Relayed says that the consumers have queues of their own, which a relay fills. Otherwise
	// they read the stream themselves.
	Relayed bool
}

// deliveries are those of a service: of the events first, then of the views in schema
// order. A stream without consumers has none.
type deliveries []delivery

// streamReaders is how many functions may read a stream; with more they slow each other down.
const streamReaders = 2

// deliveriesOf decides who reads which stream.
func deliveriesOf(s *schema.Service) deliveries {
	var all deliveries
	add := func(v *schema.View, slots int) {
		d := delivery{View: v}
		for _, c := range s.Consumers {
			if c.View == v {
				d.Consumers = append(d.Consumers, c)
			}
		}
		d.Relayed = len(d.Consumers) > slots
		if len(d.Consumers) > 0 {
			all = append(all, d)
		}
	}
	add(nil, streamReaders-1) // the projector is the other
	for _, v := range s.Views {
		add(v, streamReaders)
	}
	return all
}

// relays are the deliveries that need a relay, each a function of its own.
func (ds deliveries) relays() deliveries {
	var relayed deliveries
	for _, d := range ds {
		if d.Relayed {
			relayed = append(relayed, d)
		}
	}
	return relayed
}

// relay is the name of the function that relays the stream.
func (d delivery) relay() string {
	if d.View == nil {
		return "relay"
	}
	return "relay-" + d.View.Name
}
