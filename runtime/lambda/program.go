package lambda

import (
	"fmt"
	"log/slog"
	"os"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// program is what a function finds when it starts.
type program struct {
	Options
	getenv func(name string) string
}

// run starts a function and serves it. What keeps it from starting is the last thing it says.
func run(make func(p *program) (Handler, error)) {
	p := &program{getenv: os.Getenv}
	p.Logger = newLogger(os.Stdout, os.Getenv(envLogLevel))
	p.Metrics, p.Function = os.Stdout, os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	// What the user's code and Amazon's library log takes the same way; the latter's lines are
	// errors.
	slog.SetLogLoggerLevel(slog.LevelWarn)
	slog.SetDefault(p.Logger)
	h, err := make(p)
	if err != nil {
		p.Logger.Error("the function does not start", "error", err.Error())
		os.Exit(1)
	}
	awslambda.StartWithOptions(h)
}

// store opens the tables that the environment names; needed are the variables that the program
// cannot do without, layouts the tables of views that it knows. Each of the model's views must
// have one: what is missing would be noticed when it is too late.
func (p *program) store(m *es.Model, layouts []dynamo.ViewTable, needed ...string) (es.Stores, error) {
	for _, name := range needed {
		if _, err := p.variable(name); err != nil {
			return es.Stores{}, err
		}
	}
	o, err := dynamo.FromEnvironment(p.getenv)
	if err == nil {
		err = o.ReadTables(p.getenv, layouts)
	}
	if err == nil && m != nil {
		err = haveTables(m, o.Tables.Views)
	}
	if err != nil {
		return es.Stores{}, err
	}
	o.NearFull = p.nearFull
	s, err := dynamo.New(o)
	if err != nil {
		return es.Stores{}, err
	}
	return s.Stores(), nil
}

// variable is what the environment must say.
func (p *program) variable(name string) (string, error) {
	value := p.getenv(name)
	if value == "" {
		return "", fmt.Errorf("lambda: the environment does not set %s, as the stack of the service does: deploy stack and functions together", name)
	}
	return value, nil
}

func haveTables(m *es.Model, tables []dynamo.ViewTable) error {
	named := make(map[es.Table]bool, len(tables))
	for _, t := range tables {
		named[es.Table{View: t.View, Revision: t.Revision}] = true
	}
	for i := range m.Views {
		if v := &m.Views[i]; !named[es.Table{View: v.Name, Revision: v.Revision}] {
			return fmt.Errorf("lambda: %s names no table of revision %d of the view %s: deploy stack and functions together",
				dynamo.EnvViews, v.Revision, v.Name)
		}
	}
	return nil
}
