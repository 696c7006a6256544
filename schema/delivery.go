package schema

import (
	"fmt"
	"strings"
)

// What stands round the events and views: consumers, the API, the pipeline.

func (b *builder) consumers(n *node) {
	for _, entry := range b.entries(n, "") {
		c := &Consumer{Name: entry.key.text}
		b.service.Consumers = append(b.service.Consumers, c)
		c.Description, c.Deprecated = described(entry.value)
		events, view := entry.value.get("events"), entry.value.get("view")
		if (events == nil) == (view == nil) {
			hint := "keep one of the two keys"
			if events == nil {
				hint = "add events: [...] or view: <name>"
			}
			b.add("consumer-source", entry.key, fmt.Sprintf("the consumer %q must have either events or a view", c.Name), hint)
			continue
		}
		if view != nil {
			if c.View = b.views[view.text]; c.View == nil {
				b.add("unknown-view", view, fmt.Sprintf("the schema has no view %q", view.text), b.didYouMean(view.text, b.viewNames))
			}
			continue
		}
		for _, at := range events.items {
			if e := b.event(at, fmt.Sprintf("consumer %q handles", c.Name)); e != nil {
				c.Events = append(c.Events, e)
			}
		}
	}
}

func (b *builder) viewNames() []string {
	names := make([]string, len(b.service.Views))
	for i, v := range b.service.Views {
		names[i] = v.Name
	}
	return names
}

const defaultPageSize = 10

func (b *builder) api(n *node) {
	api := &b.service.API
	*api = API{Auth: AuthIAM, Gateway: GatewayHTTP, PageSize: defaultPageSize}
	if at := n.get("gateway"); at != nil {
		api.Gateway = Gateway(at.text)
	}
	if at := n.get("pageSize"); at != nil {
		api.PageSize = count(at)
	}
	if at := n.get("throttle"); at != nil {
		api.Throttle = &Throttle{Rate: count(at.get("rate")), Burst: count(at.get("burst"))}
	}
	if at := n.get("cors"); at != nil {
		api.CORS = &CORS{Origins: texts(at.get("origins"))}
	}
	if at := n.get("auth"); at != nil {
		b.auth(at)
	}
	if api.Gateway == GatewayNone {
		for _, key := range []string{"auth", "throttle", "cors"} {
			if n.get(key) != nil {
				b.add("gateway-none", n.key(key), fmt.Sprintf("%q is what a gateway does, and gateway: none has none", key), fmt.Sprintf("remove %q, or choose gateway: http", key))
			}
		}
	}
	if api.Gateway == GatewayREST && api.Auth == AuthJWT {
		b.add("jwt-rest", n.key("auth"), "a REST API cannot check tokens by itself: jwt needs gateway: http", "choose gateway: http, or auth: custom")
	}
}

func (b *builder) auth(at *node) {
	api := &b.service.API
	if at.kind == stringNode {
		api.Auth = Auth(at.text)
		return
	}
	jwt := at.get("jwt")
	api.Auth = AuthJWT
	api.JWT = &JWT{Issuer: jwt.get("issuer").string(), Audience: texts(jwt.get("audience"))}
}

// texts reads a string or a list of strings.
func texts(n *node) []string {
	if n == nil {
		return nil
	}
	if n.kind == stringNode {
		return []string{n.text}
	}
	list := make([]string, len(n.items))
	for i, item := range n.items {
		list[i] = item.text
	}
	return list
}

func (b *builder) pipeline(n *node) {
	if n == nil {
		return
	}
	github := n.get("github")
	p := &Pipeline{
		Owner: github.get("owner").string(), Repo: github.get("repo").string(),
		Branch: github.get("branch").string(), Connection: github.get("connection").string(),
	}
	if p.Branch == "" {
		p.Branch = "main"
	}
	first := map[string]*node{}
	for _, item := range n.get("stages").items {
		name := item.get("name")
		if earlier := first[name.text]; earlier != nil {
			b.add("duplicate-item", name, fmt.Sprintf("two stages are called %q", name.text), "").relate(b.source, earlier, "first here")
		}
		first[name.text] = name
		p.Stages = append(p.Stages, Stage{
			Name: name.text, Approval: item.get("approval").isTrue(),
			Account: item.get("account").string(), Region: item.get("region").string(),
		})
	}
	b.service.Pipeline = p
}

// module checks a Go module path by the rules of the go command.
func (b *builder) module(n *node) {
	b.service.Module = n.text
	if problem := moduleProblem(n.text); problem != "" {
		b.add("module-path", n, fmt.Sprintf("%q is not a module path that Go takes: %s", n.text, problem), "such as example.com/orders")
	}
}

func moduleProblem(path string) string {
	if len(path) > 200 {
		return "it has more than 200 characters"
	}
	elements := strings.Split(path, "/")
	for i, e := range elements {
		switch {
		case e == "":
			return "it has an empty element"
		case !matches(`^[A-Za-z0-9._~-]+$`, e):
			return fmt.Sprintf("the element %q has characters other than ASCII letters, digits and - . _ ~", e)
		case e[0] == '.' || e[len(e)-1] == '.':
			return fmt.Sprintf("the element %q begins or ends with a dot", e)
		case i == 0 && (e[0] == '-' || strings.ContainsAny(e, "~")):
			return fmt.Sprintf("it cannot begin with %q", e)
		case deviceNames[strings.ToLower(strings.SplitN(e, ".", 2)[0])]:
			return fmt.Sprintf("%q is the name of a device on Windows", e)
		case matches(`~[0-9]+$`, e):
			return fmt.Sprintf("%q looks like a short name of Windows", e)
		case e == "vendor":
			return fmt.Sprintf("the element %q has a meaning of its own", e)
		}
	}
	last := elements[len(elements)-1]
	switch {
	case len(elements) > 1 && (matches(`^v[01]$`, last) || matches(`^v0[0-9]*$`, last)):
		return fmt.Sprintf("it cannot end in %q; major versions are written from v2 on", last)
	case standardFolders[elements[0]]:
		return fmt.Sprintf("%q belongs to Go's standard library", elements[0])
	case strings.HasPrefix(path, "gopkg.in/") && !matches(`\.v[0-9]+$`, path):
		return "a path at gopkg.in ends in .v and a number"
	case path == "github.com/esgen/esgen":
		return "it is esgen's own"
	}
	return ""
}

// standardFolders are the first elements of the standard library's packages.
var standardFolders = setOf("archive", "bufio", "builtin", "bytes", "cmd", "cmp", "compress", "container", "context", "crypto",
	"database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "io",
	"iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort",
	"strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe", "weak", "std", "main")
