package templates

import (
	"slices"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// wiringFiles generates the programs and the package that tells them of the
// service.
func wiringFiles(s *schema.Service) ([]File, error) {
	files := []File{
		serviceFile(s),
		completeFile(s),
		programFile(s, "local", "Command local runs the "+s.Name+" service on this machine, on an embedded store: go run ./cmd/local. "+
			"It serves this machine only and authenticates nobody."),
		programFile(s, "ops", "Command ops operates the "+s.Name+" service, here or deployed; the commands of esgen such as \"esgen status\" run it.",
			tablesOf(s)),
	}
	return slices.Concat(files, functionFiles(s), authorizerFiles(s)), nil
}

// programFile generates a main package whose work is a package of the runtime
// by the same name.
func programFile(s *schema.Service, name, doc string, more ...jen.Code) File {
	g := newGofile(s, "cmd/"+name, "main", doc)
	g.ImportName(s.Module+"/cmd/internal/tables", "tables")
	g.ImportName(s.Module+"/cmd/internal/complete", "complete")
	args := append([]jen.Code{jen.Qual(s.Module+"/cmd/internal/complete", "Service").Call()}, more...)
	g.declare("", jen.Func().Id("main").Params().Add(inline(jen.Qual(runtimePath+"/"+name, "Main").Call(args...))))
	return g.generated("main_gen.go")
}

// serviceFile generates package service. Its functions are separate so that the
// linker leaves out of a program what it does not use.
func serviceFile(s *schema.Service) File {
	g := newGofile(s, "cmd/internal/service", "service", "Package service describes the "+s.Name+" service to its programs.")
	ofEvents := func(name string) jen.Code { return jen.Qual(s.Module+"/events", name).Call() }
	g.declare("Events describes the events: what taking them in needs.",
		modelFunction("Events", jen.Return(addressOf(es("Model")).Add(braced(true,
			keyed("Service", jen.Lit(s.Name)),
			keyed("Key", ofEvents("Key")),
			keyed("States", ofEvents("States")),
			keyed("Events", ofEvents("Types")),
			keyed("PageSize", jen.Lit(s.API.PageSize)),
		)))))

	taken := map[string]bool{"m": true}
	var views []jen.Code
	for _, v := range s.Views {
		views = append(views, jen.Qual(g.importAs(taken, s.Module+"/"+viewFolder(v), viewPackage(v), "view"), "Definition").Call())
	}
	g.declare("Views describes the events and the views: what folding and answering needs.",
		modelFunction("Views", define("m", jen.Id("Events").Call()), listed("Views", "View", views), jen.Return(jen.Id("m"))))
	return g.generated("service_gen.go")
}

// completeFile generates package complete. It is apart from package service, since consumers import what
// they like: the functions that store, fold and answer must not link it, nor become other programs by it.
func completeFile(s *schema.Service) File {
	g := newGofile(s, "cmd/internal/complete", "complete", "Package complete describes the whole "+s.Name+" service, the consumers "+
		"included, to the programs that run all of it.")
	taken := map[string]bool{"m": true, "service": true}
	var consumers []jen.Code
	for _, c := range s.Consumers {
		consumers = append(consumers, jen.Qual(g.importAs(taken, s.Module+"/"+consumerFolder(c), consumerPackage(c), "consumer"), "Definition").Call())
	}
	g.declare("Service describes the events, the views and the consumers.",
		modelFunction("Service", define("m", ofService(s, "Views")), listed("Consumers", "Consumer", consumers), jen.Return(jen.Id("m"))))
	return g.generated("complete_gen.go")
}

// modelFunction is a function that returns the model of a service.
func modelFunction(name string, body ...jen.Code) jen.Code {
	return jen.Func().Id(name).Params().Op("*").Add(es("Model")).Block(body...)
}

// listed sets a field of the model to what the packages define; nil when there are none.
func listed(field, elem string, definitions []jen.Code) jen.Code {
	if len(definitions) == 0 {
		return nil
	}
	return assign(jen.Id("m").Dot(field), jen.Index().Add(es(elem)).Add(braced(true, definitions...)))
}

// importAs has a package imported under its name, or with a suffix when that
// is taken: a view and a consumer may be called the same. It returns the path.
func (g *gofile) importAs(taken map[string]bool, path, pkg, suffix string) string {
	name := pkg
	for taken[name] {
		name += suffix
	}
	taken[name] = true
	if name == pkg {
		g.ImportName(path, name)
	} else {
		g.ImportAlias(path, name)
	}
	return path
}
