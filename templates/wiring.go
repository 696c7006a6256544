package templates

import (
	"github.com/esgen/esgen/schema"
)

// wiringFiles generates the programs and the package that tells them of the
// service.
func wiringFiles(s *schema.Service) ([]File, error) {
	return []File{
		serviceFile(s),
		programFile(s, "local", "Command local runs the "+s.Name+" service on this machine, on an embedded store: go run ./cmd/local. "+
			"It serves this machine only and authenticates nobody."),
		programFile(s, "ops", "Command ops operates the "+s.Name+" service; the commands of esgen such as \"esgen status\" run it."),
	}, nil
}

// programFile generates a main package whose work is a package of the runtime
// by the same name.
func programFile(s *schema.Service, name, doc string) File {
	g := newGofile("main")
	g.doc = doc
	g.use(runtimePath + "/" + name)
	g.use(s.Module + "/cmd/internal/service")
	g.printf("func main() { %s.Main(service.All()) }\n", name)
	return g.generated("cmd/" + name + "/main_gen.go")
}

// serviceFile generates package service. Its functions are separate so that the
// linker leaves out of a program what it does not use.
func serviceFile(s *schema.Service) File {
	g := newGofile("service")
	g.doc = "Package service describes the " + s.Name + " service to its programs."
	g.useAs("es", runtimePath)
	g.use(s.Module + "/events")
	g.printf("// Events describes the events: what taking them in needs.\n")
	g.printf("func Events() *es.Model {\nreturn &es.Model{\nService: %q,\nKey: events.Key(),\nStates: events.States(),\n", s.Name)
	g.printf("Events: events.Types(),\nPageSize: %d,\n}\n}\n\n", s.API.PageSize)

	taken := map[string]bool{}
	g.printf("// Views describes the events and the views: what folding and answering needs.\n")
	g.printf("func Views() *es.Model {\nm := Events()\n")
	if len(s.Views) > 0 {
		g.printf("m.Views = []es.View{\n")
		for _, v := range s.Views {
			g.printf("%s.Definition(),\n", importAs(g, taken, s.Module+"/"+viewFolder(v), viewPackage(v), "view"))
		}
		g.printf("}\n")
	}
	g.printf("return m\n}\n\n")

	g.printf("// All describes the whole service, the consumers included.\n")
	g.printf("func All() *es.Model {\nm := Views()\n")
	if len(s.Consumers) > 0 {
		g.printf("m.Consumers = []es.Consumer{\n")
		for _, c := range s.Consumers {
			g.printf("%s.Definition(),\n", importAs(g, taken, s.Module+"/"+consumerFolder(c), consumerPackage(c), "consumer"))
		}
		g.printf("}\n")
	}
	g.printf("return m\n}\n")
	return g.generated("cmd/internal/service/service_gen.go")
}

// importAs imports a package, under its name with a suffix when the name is
// taken: a view and a consumer may be called the same.
func importAs(g *gofile, taken map[string]bool, path, pkg, suffix string) string {
	name := pkg
	for taken[name] || name == "m" {
		name += suffix
	}
	taken[name] = true
	if name == pkg {
		g.use(path)
	} else {
		g.useAs(name, path)
	}
	return name
}
