package templates

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/esgen/esgen/schema"
)

// Toolkit is the esgen that a new service is tied to.
type Toolkit struct {
	Version string // the version to require: "v1.2.3"
	Replace string // path of a checkout that stands in for it, "" when released
	// GoMod and GoSum are the toolkit's own: a new service takes from them what
	// the runtime needs, so that it builds without network.
	GoMod, GoSum []byte
}

// toolkitModule is the module that services require.
const toolkitModule = "github.com/esgen/esgen"

// runtimeModules are what the packages of the runtime import; a service has to
// require them as indirect.
var runtimeModules = []string{
	"github.com/aws/aws-lambda-go",
	"github.com/aws/aws-sdk-go-v2",
	"github.com/aws/aws-sdk-go-v2/internal/configsources",
	"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
	"github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding",
	"github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery",
	"github.com/aws/aws-sdk-go-v2/service/sns",
	"github.com/aws/smithy-go",
	"github.com/cespare/xxhash/v2",
	"go.etcd.io/bbolt",
	"golang.org/x/sys",
}

// Scaffold returns the files that only init creates: the schema itself, go.mod,
// go.sum, README.md and .gitignore, sorted by path.
func Scaffold(s *schema.Service, schemaText []byte, t Toolkit) ([]File, error) {
	mod, err := goMod(s, t)
	if err != nil {
		return nil, err
	}
	return finish([]File{
		{Path: "esgen.yaml", Content: schemaText, Once: true},
		{Path: "go.mod", Content: mod, Once: true},
		{Path: "go.sum", Content: t.GoSum, Once: true},
		{Path: "README.md", Content: readme(s), Once: true},
		{Path: ".gitignore", Content: []byte(gitignore), Once: true},
	})
}

const gitignore = `# the store of "esgen dev" and "go run ./cmd/local"
/.esgen/local/
`

// goMod writes the module file. Versions are the toolkit's own, so that what
// builds the toolkit builds the service.
func goMod(s *schema.Service, t Toolkit) ([]byte, error) {
	required := requirements(t.GoMod)
	var b bytes.Buffer
	fmt.Fprintf(&b, "module %s\n\ngo %s\n\nrequire %s %s\n\nrequire (\n", moduleToken(s.Module), required["go"], toolkitModule, t.Version)
	for _, m := range runtimeModules {
		if required[m] == "" {
			return nil, fmt.Errorf("scaffold: the toolkit's go.mod does not require %s", m)
		}
		fmt.Fprintf(&b, "\t%s %s // indirect\n", m, required[m])
	}
	b.WriteString(")\n")
	if t.Replace != "" {
		fmt.Fprintf(&b, "\nreplace %s => %s\n", toolkitModule, moduleToken(t.Replace))
	}
	return b.Bytes(), nil
}

// requirements reads the versions out of a module file, with the Go version as "go".
func requirements(mod []byte) map[string]string {
	versions := map[string]string{}
	for line := range strings.Lines(string(mod)) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) == 2 {
			versions[fields[0]] = fields[1]
		}
	}
	return versions
}

// moduleToken quotes a path for a module file where its characters ask for it.
func moduleToken(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},;") || strings.Contains(path, "//") {
		return fmt.Sprintf("%q", path)
	}
	return path
}
