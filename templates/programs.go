package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

const lambdaPath = runtimePath + "/lambda"

// functionFiles generates the programs of the functions that a deployed service has.
func functionFiles(s *schema.Service) []File {
	origins := originsOf(s)
	files := []File{
		functionFile(s, "command", "stores the events that come in: POST /.", "Command", append([]jen.Code{ofService(s, "Events")}, origins...)...),
		functionFile(s, "query", "answers everything but POST /.", "Query", append([]jen.Code{ofService(s, "Views"), tablesOf(s)}, origins...)...),
		functionFile(s, "projector", "folds the stream of events into all views.", "Projector", ofService(s, "Views"), tablesOf(s)),
		functionFile(s, "reconcile", "mends, on a schedule, what no event mends: views that are behind the events.", "Reconcile", ofService(s, "Views"), tablesOf(s)),
	}
	if len(deliveriesOf(s).relays()) > 0 {
		files = append(files, functionFile(s, "relay", "hands on what a stream has to the queues of its consumers, which are more than may read a stream.",
			"Relay", jen.Qual(lambdaPath+"/topic", "FromEnvironment")))
	}
	for _, c := range s.Consumers {
		files = append(files, consumerProgram(s, c))
	}
	if s.API.Auth == schema.AuthCustom {
		files = append(files, functionFile(s, "authorizer", "decides who may call the API.",
			"Authorizer", jen.Qual(s.Module+"/"+authorizerFolder, "Authorize")))
	}
	return files
}

// originsOf are the origins that the functions themselves allow to read answers: behind a REST
// API, which only answers what browsers ask before.
func originsOf(s *schema.Service) (origins []jen.Code) {
	if s.API.Gateway != schema.GatewayREST || s.API.CORS == nil {
		return nil
	}
	for _, origin := range s.API.CORS.Origins {
		origins = append(origins, quoted(origin))
	}
	return origins
}

// ofService is the model of the service as far as a program needs it.
func ofService(s *schema.Service, name string) jen.Code {
	return jen.Qual(s.Module+"/cmd/internal/service", name).Call()
}

// tablesOf are the layouts of the views' tables.
func tablesOf(s *schema.Service) jen.Code {
	return jen.Qual(s.Module+"/cmd/internal/tables", "Views").Call()
}

// functionFile generates the program of a function, which is one call of the runtime.
func functionFile(s *schema.Service, name, does, run string, args ...jen.Code) File {
	g := newFunction(s, name, does)
	g.declare("", jen.Func().Id("main").Params().Add(inline(jen.Qual(lambdaPath, run).Add(arguments(long(args...), args...)))))
	return g.generated("main_gen.go")
}

func newFunction(s *schema.Service, name, does string) *gofile {
	g := newGofile(s, "cmd/"+name, "main", fmt.Sprintf("Command %s is the function of the deployed %s service that %s", name, s.Name, does))
	for path, pkg := range map[string]string{
		lambdaPath: "lambda", lambdaPath + "/topic": "topic",
		s.Module + "/cmd/internal/tables": "tables", s.Module + "/" + authorizerFolder: authorizerFolder,
	} {
		g.ImportName(path, pkg)
	}
	return g
}

// consumerProgram generates the program of one consumer. It links that one and no other.
func consumerProgram(s *schema.Service, c *schema.Consumer) File {
	g := newFunction(s, "consumer-"+c.Name, fmt.Sprintf("is the consumer %q: it handles %s.", c.Name, handled(c)))
	taken := map[string]bool{"es": true, "lambda": true, "service": true, "m": true}
	definition := jen.Qual(g.importAs(taken, s.Module+"/"+consumerFolder(c), consumerPackage(c), "consumer"), "Definition").Call()
	g.declare("", jen.Func().Id("main").Params().Block(
		define("m", ofService(s, "Events")),
		assign(jen.Id("m").Dot("Consumers"), jen.Index().Add(es("Consumer")).Add(braced(false, definition))),
		jen.Qual(lambdaPath, "Consumer").Call(jen.Id("m"), jen.Lit(c.Name)),
	))
	return g.generated("main_gen.go")
}
