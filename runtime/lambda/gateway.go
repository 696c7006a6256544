package lambda

import (
	"context"

	"github.com/aws/aws-lambda-go/lambdacontext"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// Command runs the function that stores events. origins are those of a REST API whose pages may
// read answers.
func Command(m *es.Model, origins ...string) {
	run(func(p *program) (Handler, error) {
		stores, err := p.store(m, nil, dynamo.EnvEvents)
		if err != nil {
			return nil, err
		}
		p.Origins = origins
		return CommandHandler(m, stores.Events, p.Options), nil
	})
}

// Query runs the function that answers everything else. tables are the tables of views that the
// service knows; the environment names those that it is to read.
func Query(m *es.Model, tables []dynamo.ViewTable, origins ...string) {
	run(func(p *program) (Handler, error) {
		stores, err := p.store(m, tables, dynamo.EnvEvents, dynamo.EnvProgress, dynamo.EnvViews)
		if err != nil {
			return nil, err
		}
		p.Origins = origins
		return QueryHandler(m, stores, p.Options), nil
	})
}

// CommandHandler answers requests of a gateway as [es.Command] does.
func CommandHandler(m *es.Model, events es.EventStore, o Options) Handler {
	o.defaults()
	return o.answering(es.NewCommand(m, events, es.CommandOptions{Logger: o.Logger}).Handle)
}

// QueryHandler answers requests of a gateway as [es.Query] does.
func QueryHandler(m *es.Model, stores es.Stores, o Options) Handler {
	o.defaults()
	return o.answering(es.NewQuery(m, stores, es.QueryOptions{Logger: o.Logger}).Handle)
}

func (o *Options) answering(handle func(context.Context, *es.Request) *es.Response) Handler {
	return o.guarded(func(ctx context.Context, event []byte) ([]byte, error) {
		r, format, err := ReadRequest(event)
		if err != nil {
			return nil, err
		}
		if r.ID == "" { // invoked without a gateway
			if lc, ok := lambdacontext.FromContext(ctx); ok {
				r.ID = lc.AwsRequestID
			}
		}
		answer := handle(ctx, r)
		o.allowOrigin(answer, r.Header("Origin"))
		return AppendAnswer(make([]byte, 0, len(answer.Body)+len(answer.Body)/4+512), answer, format), nil
	})
}
