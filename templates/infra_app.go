package templates

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/esgen/esgen/schema"
)

// cdkCLI is the version of the CDK's command that reads what the app's version of the CDK writes.
const cdkCLI = "2.1148.1"

// infraApp is what the templates of the CDK app are given.
type infraApp struct {
	Service, Module, ModuleToken string
	CLI                          string

	Current, Previous, Kept []infraTable
	Programs                []string // folders of cmd
	Relays                  []infraRelay
	Consumers               []infraConsumer

	Gateway, HTTP, REST, Custom bool
	Auth                        schema.Auth
	JWT                         *schema.JWT
	Origins                     []string
	Rate, Burst                 int

	Pipeline *infraPipeline
}

// infraTable is a view's table; GoName is set of current ones.
type infraTable struct {
	ViewTable
	GoName string
}

// infraRelay is a relay. View is "" for that of the events.
type infraRelay struct {
	GoName, ID, Name, View string
	Stream                 string // as the relay is told it
	Table, Filter          string
}

// infraConsumer is a consumer. One behind a relay has Relay and, of events, the Types that it
// handles, unless they are too many to be told to SNS; one that reads a stream has Table and Filters.
type infraConsumer struct {
	GoName, ID, Name, Program string
	Doc                       string
	Relay                     string
	Types                     []string
	Table                     string
	Filters                   []string
}

// infraReader is a function that reads a stream, or a queue.
type infraReader struct {
	Name     string // of the program
	Consumer string
	Function string // of a stream's: the field of the stack
	GoName   string // of a queue's
}

// The throttle of a schema that names none: enough to begin with, and no bill to be afraid of.
const (
	defaultRate  = 100
	defaultBurst = 200
)

func newInfraApp(s *schema.Service, tables []ViewTable) *infraApp {
	app := &infraApp{
		Service: s.Name, Module: s.Module, ModuleToken: moduleToken(s.Module + "/infra"), CLI: cdkCLI,
		Programs: []string{"command", "query", "projector", "reconcile"},
		Gateway:  s.API.Gateway != schema.GatewayNone,
		HTTP:     s.API.Gateway == schema.GatewayHTTP,
		REST:     s.API.Gateway == schema.GatewayREST,
		Rate:     defaultRate, Burst: defaultBurst,
		Pipeline: newInfraPipeline(s),
	}
	if app.Gateway {
		app.Auth, app.JWT = s.API.Auth, s.API.JWT
		app.Custom = s.API.Auth == schema.AuthCustom
	}
	if s.API.Throttle != nil {
		app.Rate, app.Burst = s.API.Throttle.Rate, s.API.Throttle.Burst
	}
	if s.API.CORS != nil {
		app.Origins = s.API.CORS.Origins
	}
	app.addTables(tables)
	app.addDeliveries(s)
	if app.Custom {
		app.Programs = append(app.Programs, "authorizer")
	}
	return app
}

func (app *infraApp) addTables(tables []ViewTable) {
	for _, t := range tables {
		switch table := (infraTable{ViewTable: t}); t.Standing {
		case Current:
			table.GoName = schema.GoName(t.View)
			app.Current = append(app.Current, table)
		case Previous:
			app.Previous = append(app.Previous, table)
		case Kept:
			app.Kept = append(app.Kept, table)
		}
	}
}

func (app *infraApp) addDeliveries(s *schema.Service) {
	byName := map[string]infraConsumer{}
	for _, d := range deliveriesOf(s) {
		relay := infraRelay{GoName: "Events", ID: "Relay", Name: d.relay(), Stream: "events", Table: "Events", Filter: recordFilter("INSERT")}
		if d.View != nil {
			relay.GoName = schema.GoName(d.View.Name)
			relay.ID, relay.View, relay.Stream = "Relay-"+d.View.Name, d.View.Name, "view:"+d.View.Name
			relay.Table, relay.Filter = "Views."+relay.GoName+".Table", recordFilter("INSERT", "MODIFY")
		}
		if d.Relayed {
			app.Relays = append(app.Relays, relay)
		}
		for _, c := range d.Consumers {
			consumer := newInfraConsumer(c)
			if d.Relayed {
				consumer.Relay, consumer.Types = relay.GoName, subscribedTypes(c)
			} else {
				consumer.Table, consumer.Filters = relay.Table, streamFilters(c)
			}
			byName[c.Name] = consumer
		}
	}
	if len(app.Relays) > 0 {
		app.Programs = append(app.Programs, "relay")
	}
	for _, c := range s.Consumers {
		app.Consumers = append(app.Consumers, byName[c.Name])
		app.Programs = append(app.Programs, "consumer-"+c.Name)
	}
}

func newInfraConsumer(c *schema.Consumer) infraConsumer {
	return infraConsumer{
		GoName: schema.GoName(c.Name), ID: "Consumer-" + c.Name, Name: c.Name, Program: "consumer-" + c.Name,
		Doc: "handles " + handled(c),
	}
}

// FirstConsumer is one to show; nil without any.
func (app *infraApp) FirstConsumer() *infraConsumer {
	if len(app.Consumers) == 0 {
		return nil
	}
	return &app.Consumers[0]
}

// StreamReaders are the functions that read a stream.
func (app *infraApp) StreamReaders() []infraReader {
	readers := []infraReader{{Name: "projector", Function: "Projector"}}
	for _, r := range app.Relays {
		readers = append(readers, infraReader{Name: r.Name, Function: "Relays." + r.GoName + ".Function"})
	}
	for _, c := range app.Consumers {
		if c.Relay == "" {
			readers = append(readers, infraReader{Name: c.Program, Function: "Consumers." + c.GoName + ".Function"})
		}
	}
	return readers
}

// QueueReaders are the consumers that have a queue.
func (app *infraApp) QueueReaders() []infraReader {
	var readers []infraReader
	for _, c := range app.Consumers {
		if c.Relay != "" {
			readers = append(readers, infraReader{Name: c.Program, Consumer: c.Name, GoName: c.GoName})
		}
	}
	return readers
}

// recordFilter is the pattern of stream records of some kinds.
func recordFilter(kinds ...string) string {
	return fmt.Sprintf(`{"eventName":%s}`, jsonList(kinds))
}

// What Lambda takes of patterns: their length, and how many a mapping has.
const (
	maxPattern  = 4096
	maxPatterns = 5
)

// streamFilters are the patterns of what a consumer gets of a stream that it reads itself. With
// more types of events than patterns can name it gets all, and passes over what is not its own.
func streamFilters(c *schema.Consumer) []string {
	if c.View != nil {
		return []string{recordFilter("INSERT", "MODIFY")}
	}
	pattern := func(types []string) string {
		return fmt.Sprintf(`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"_type":{"S":%s}}}}`, jsonList(types))
	}
	var filters []string
	var types []string
	for _, e := range c.Events {
		if more := append(slices.Clone(types), e.Name); len(pattern(more)) > maxPattern {
			filters = append(filters, pattern(types))
			types = nil
		}
		types = append(types, e.Name)
	}
	if filters = append(filters, pattern(types)); len(filters) > maxPatterns {
		return []string{recordFilter("INSERT")}
	}
	return filters
}

// maxSubscribed is how many values the filter policy of a subscription takes.
const maxSubscribed = 150

// subscribedTypes are the types of events that a consumer behind a relay is sent; nil for all.
func subscribedTypes(c *schema.Consumer) []string {
	if c.View != nil || len(c.Events) > maxSubscribed {
		return nil
	}
	var types []string
	for _, e := range c.Events {
		types = append(types, e.Name)
	}
	return types
}

func jsonList(texts []string) string {
	text, err := json.Marshal(texts)
	if err != nil {
		return "[]" // texts can be written as JSON
	}
	return strings.TrimSpace(string(text))
}

// infraPipeline is the CI/CD stack.
type infraPipeline struct {
	Repository, Branch, Connection string
	Stages                         []schema.Stage
	Elsewhere                      bool // a stage names its account or region
}

func newInfraPipeline(s *schema.Service) *infraPipeline {
	p := s.Pipeline
	if p == nil {
		return nil
	}
	return &infraPipeline{
		Repository: p.Owner + "/" + p.Repo, Branch: p.Branch, Connection: p.Connection, Stages: p.Stages,
		Elsewhere: slices.ContainsFunc(p.Stages, func(st schema.Stage) bool { return st.Account != "" || st.Region != "" }),
	}
}
