package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Bounds on a file. Real schemas stay far below: a thousand events take about
// half a megabyte.
const (
	maxFileBytes  = 4 << 20
	maxNodes      = 400_000 // as written
	maxAliasNodes = 100_000 // that aliases add
	maxDepth      = 64
)

// readYAML turns text into nodes, or says what is wrong with it as YAML. The
// node is nil if nothing can be made of the text.
func readYAML(r *report, text []byte) *node {
	if !checkText(r, text) {
		return nil
	}
	doc, err := parseYAML(text)
	if err != nil {
		reportSyntax(r, text, err)
		return nil
	}
	if doc.Kind == 0 {
		r.addAt("empty-file", span{1, 1, 1, 2}, "the file has no content", `start with "esgen: 1" and the name of the service`)
		return nil
	}
	c := converter{report: r, anchors: map[*yaml.Node]*node{}}
	root := c.convert(doc.Content[0], 0)
	if added := root.size - c.written; added > maxAliasNodes {
		r.add("alias", root, fmt.Sprintf("the aliases of this file stand for more than %d values", maxAliasNodes), "write out less through aliases")
		return nil
	}
	return root
}

// checkText looks at what must hold before a YAML parser sees the text.
func checkText(r *report, text []byte) bool {
	if len(text) > maxFileBytes {
		r.addAt("too-large", span{1, 1, 1, 2}, fmt.Sprintf("the file has %d bytes; a schema has at most %d", len(text), maxFileBytes), "split the service")
		return false
	}
	nodes := 0
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		switch {
		case c == utf8.RuneError && size == 1:
			r.addAt("encoding", offsetSpan(text, i), "the file is not UTF-8", "save it in the encoding UTF-8")
			return false
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0, c == 0x2028, c == 0x2029, c == 0xfeff, c == 0xfffe, c == 0xffff:
			r.addAt("character", offsetSpan(text, i), fmt.Sprintf("the character U+%04X cannot stand in a schema", c),
				fmt.Sprintf(`remove it, or write it as "\u%04x" in double quotes`, c))
			return false
		case c == ',' || c == ':' || c == '-' || c == '[' || c == '{' || c == '?' || c == '\n':
			nodes++
		}
		i += size
	}
	if nodes > maxNodes {
		r.addAt("too-large", span{1, 1, 1, 2}, fmt.Sprintf("the file may hold %d values; a schema has at most %d", nodes, maxNodes), "split the service")
		return false
	}
	return true
}

var errSecondDocument = errors.New("second document")

// parseYAML never panics: the library is kept from taking the program down.
func parseYAML(text []byte) (doc *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(text))
	doc = new(yaml.Node)
	if err := dec.Decode(doc); err != nil && err != io.EOF {
		return nil, err
	}
	if doc.Kind == 0 {
		return doc, nil
	}
	var second yaml.Node
	switch err := dec.Decode(&second); err {
	case io.EOF:
		return doc, nil
	case nil:
		return nil, errSecondDocument
	default:
		return nil, err
	}
}

// converter makes nodes of the library's, and refuses what the language leaves out of YAML.
type converter struct {
	*report
	anchors map[*yaml.Node]*node
	written int
}

func (c *converter) convert(y *yaml.Node, depth int) *node {
	if y.Kind == yaml.AliasNode {
		return c.alias(y)
	}
	c.written++
	n := &node{span: c.spanOf(y), size: 1}
	if y.Anchor != "" {
		c.anchors[y] = n
	}
	if depth > maxDepth {
		c.add("too-large", n, fmt.Sprintf("values are nested more than %d deep", maxDepth), "")
		return n
	}
	if y.Style&yaml.TaggedStyle != 0 {
		c.add("tag", n, fmt.Sprintf("the tag %s is not part of the schema language", shortTag(y.Tag)), "remove the tag; put a string in quotes")
	}
	n.open = true
	switch y.Kind {
	case yaml.ScalarNode:
		c.scalar(n, y)
	case yaml.SequenceNode:
		n.kind = sequenceNode
		n.items = make([]*node, 0, len(y.Content))
		for _, item := range y.Content {
			child := c.convert(item, depth+1)
			n.items = append(n.items, child)
			n.size = addSizes(n.size, child.size)
		}
	case yaml.MappingNode:
		c.mapping(n, y, depth)
	}
	n.open, n.complete = false, true
	return n
}

// addSizes stops where counting further would overflow.
func addSizes(a, b int) int { return min(a+b, 1<<30) }

func shortTag(tag string) string {
	if rest, ok := strings.CutPrefix(tag, "tag:yaml.org,2002:"); ok {
		return "!!" + rest
	}
	return tag
}

func (c *converter) scalar(n *node, y *yaml.Node) {
	if y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		n.kind, n.text = stringNode, y.Value
		return
	}
	var bad bool
	if n.kind, n.text, bad = resolvePlain(y.Value); bad {
		c.add("number", n, "this number cannot be written in JSON, or is beyond what can be computed exactly",
			fmt.Sprintf("a number has at most %d digits and an exponent within ±%d", maxNumberDigits, maxNumberExponent))
	}
}

func (c *converter) mapping(n *node, y *yaml.Node, depth int) {
	n.kind = mappingNode
	n.entries = make([]entry, 0, len(y.Content)/2)
	var first map[string]*node
	if len(y.Content) > 2*manyEntries {
		first = make(map[string]*node, len(y.Content)/2)
	}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := c.convert(y.Content[i], depth+1)
		n.size = addSizes(n.size, key.size)
		if !c.checkKey(key, y.Content[i]) {
			continue
		}
		var earlier *node
		if first != nil {
			earlier = first[key.text]
			first[key.text] = key
		} else if e := n.entry(key.text); e != nil {
			earlier = e.key
		}
		value := c.convert(y.Content[i+1], depth+1)
		n.size = addSizes(n.size, value.size)
		if earlier != nil {
			c.add("duplicate-key", key, fmt.Sprintf("the key %q stands twice in this mapping", key.text), "keep one of them").
				relate(c.source, earlier, "first here")
			continue
		}
		n.entries = append(n.entries, entry{key, value})
	}
}

func (c *converter) checkKey(key *node, y *yaml.Node) bool {
	switch {
	case key.kind == stringNode && key.text == "<<" && y.Style == 0:
		c.add("merge-key", key, "merge keys (<<) are not part of the schema language", "write the members out, or name a shared type")
		return false
	case key.kind == stringNode:
		return true
	case key.kind == sequenceNode || key.kind == mappingNode:
		c.add("yaml-key", key, "a key is a single name, not "+key.describe(), "")
		return false
	}
	reads := key.describe()
	if key.kind == nullNode {
		reads = "null"
	}
	c.add("quote-string", key, "a key is a string, and YAML reads this one as "+reads, fmt.Sprintf("write %q in quotes", y.Value))
	return false
}

func (c *converter) alias(y *yaml.Node) *node {
	target := c.anchors[y.Alias]
	if target == nil || target.open {
		n := &node{span: c.spanOf(y), size: 1}
		c.add("alias", n, fmt.Sprintf("the alias *%s stands inside the value that it names", y.Value), "write the value out")
		return n
	}
	c.written++
	return target
}
