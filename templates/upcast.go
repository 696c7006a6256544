package templates

import (
	"fmt"

	"github.com/dave/jennifer/jen"

	"github.com/esgen/esgen/schema"
)

// upcastFiles returns the stubs that turn older revisions of events into newer
// ones, one file per step.
func upcastFiles(s *schema.Service) ([]File, error) {
	var files []File
	taken := map[string]bool{}
	for _, e := range s.Events {
		base := uniqueFile(taken, schema.GoFile(e.Name))
		for r := 1; r < e.Revision; r++ {
			files = append(files, upcastFile(s, e, r, base))
		}
	}
	if len(files) > 0 {
		g := newGofile(s, "upcasts", "upcasts", "Package upcasts brings events that were stored in an older shape to the next one. "+
			"The functions work on raw JSON and change nothing in the store: they run each time such an event is read.")
		files = append(files, g.once("upcasts.go"))
	}
	return files, nil
}

// upcastFile is named "..._from1" and not "..._1": a name that ends in "_386" is one to Go.
func upcastFile(s *schema.Service, e *schema.Event, revision int, base string) File {
	g := newGofile(s, "upcasts", "upcasts", "")
	name := upcastName(e, revision)
	g.Add(comment(fmt.Sprintf("%s turns the fields of %s %s event of revision %d into those of revision %d. "+
		"fields holds the raw JSON of each member by its name: rename, add, change and delete members here, such as",
		name, article(e.Name), schema.GoName(e.Name), revision, revision+1)))
	g.Comment("//\n//\tfields[\"newName\"] = fields[\"oldName\"]\n//\tdelete(fields, \"oldName\")\n//")
	g.declare("Members that are missing in the end get the schema's defaults; those it does not know are ignored. "+
		"An error quarantines the entity in the views that list the event.",
		jen.Func().Id(name).Params(param("fields", es("Fields"))).Error().Block(jen.Return(jen.Nil())))
	f := g.once(fmt.Sprintf("%s_from%d.go", base, revision))
	f.Declares = name
	return f
}
