package schema

import (
	"regexp"
	"strconv"
	"strings"
)

var yamlLine = regexp.MustCompile(`line ([0-9]+): `)

// reportSyntax says in our own words why the library could not read the text.
func reportSyntax(r *report, text []byte, err error) {
	if err == errSecondDocument {
		reportSecondDocument(r)
		return
	}
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	line = min(max(line, 1), len(r.lines))
	words, hint := syntaxWords(message)
	r.addAt("yaml", r.wholeLine(line), words, hint)
}

func reportSecondDocument(r *report) {
	for i, text := range r.lines {
		if i > 0 && (text == "---" || strings.HasPrefix(text, "--- ")) {
			r.addAt("several-documents", r.wholeLine(i+1), "the file holds a second YAML document", "one file describes one service")
			return
		}
	}
	r.addAt("several-documents", r.wholeLine(1), "the file holds a second YAML document", "one file describes one service")
}

func syntaxWords(message string) (words, hint string) {
	return "this is not well-formed YAML", ""
}
