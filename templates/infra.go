package templates

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/esgen/esgen/schema"
)

// The CDK app is text that is mostly the same in every service. So its templates are text
// too, and read as the code that they become; what a schema asks for is decided in
// infraApp, and the templates only leave out what it does not.
//
//go:embed infra
var infraTexts embed.FS

var infraTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("infra").Funcs(template.FuncMap{
		"quote": strconv.Quote,
		"raw":   rawQuote,
		"list":  quotedList,
	}).ParseFS(infraTexts, "infra/*.tmpl"))
})

// infraFile is a file of the CDK app and when there is one.
type infraFile struct {
	path, template string
	once           bool
	unless         bool
}

// infraFiles generates the CDK app of a service, which is a Go module of its own: neither
// functions nor the tests of the service compile the CDK.
func infraFiles(s *schema.Service, tables []ViewTable) ([]File, error) {
	app := newInfraApp(s, tables)
	var files []File
	for _, f := range []infraFile{
		{path: "main_gen.go", template: "main_gen.go.tmpl"},
		{path: "build_gen.go", template: "build_gen.go.tmpl"},
		{path: "data_gen.go", template: "data_gen.go.tmpl"},
		{path: "functions_gen.go", template: "functions_gen.go.tmpl"},
		{path: "reconcile_gen.go", template: "reconcile_gen.go.tmpl"},
		{path: "consumers_gen.go", template: "consumers_gen.go.tmpl", unless: len(app.Consumers) == 0},
		{path: "api_gen.go", template: "api_http_gen.go.tmpl", unless: !app.HTTP},
		{path: "api_gen.go", template: "api_rest_gen.go.tmpl", unless: !app.REST},
		{path: "observability_gen.go", template: "observability_gen.go.tmpl"},
		{path: "pipeline_gen.go", template: "pipeline_gen.go.tmpl", unless: app.Pipeline == nil},
		{path: "github_gen.go", template: "github_gen.go.tmpl", unless: app.Pipeline == nil},
		{path: "own.go", template: "own.go.tmpl", once: true},
		{path: "infra_test.go", template: "infra_test.go.tmpl", once: true},
		{path: "go.mod", template: "go.mod.tmpl", once: true},
		{path: "cdk.json", template: "cdk.json.tmpl", once: true},
		{path: "cdk.js", template: "cdk.js.tmpl", once: true},
		{path: "package.json", template: "package.json.tmpl", once: true},
		{path: "package-lock.json", template: "package-lock.json.tmpl", once: true},
		{path: ".gitignore", template: "gitignore.tmpl", once: true},
		{path: "../.github/workflows/deploy.yml", template: "deploy.yml.tmpl", once: true, unless: app.Pipeline == nil},
	} {
		if f.unless {
			continue
		}
		file, err := f.generate(app)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	sum, err := infraTexts.ReadFile("infra/go.sum.txt")
	if err != nil {
		return nil, err
	}
	return append(files, File{Path: "infra/go.sum", Content: sum, Once: true}), nil
}

func (f infraFile) generate(app *infraApp) (File, error) {
	file := File{Path: "infra/" + f.path, Once: f.once}
	if outside, ok := strings.CutPrefix(f.path, "../"); ok {
		file.Path = outside
	}
	var b bytes.Buffer
	if err := infraTemplates().ExecuteTemplate(&b, f.template, app); err != nil {
		return file, fmt.Errorf("generate %s: %w", file.Path, err)
	}
	if strings.HasSuffix(f.path, ".go") {
		file.text = formatted(b.Bytes())
	} else {
		file.Content = b.Bytes()
	}
	return file, nil
}

// formatted brings Go text into canonical format while other files are being made.
func formatted(text []byte) <-chan goText {
	done := make(chan goText, 1)
	writers <- struct{}{}
	go func() {
		defer func() { <-writers }()
		content, err := format.Source(text)
		done <- goText{content, err}
	}()
	return done
}

// rawQuote writes a text the way that needs no escapes, where Go has one.
func rawQuote(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

func quotedList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = strconv.Quote(text)
	}
	return strings.Join(quoted, ", ")
}
