// Package viewcode tells whether a view's own code has changed.
package viewcode

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// Hash hashes what of a view's code is the user's: the declarations of its files, by name, whichever file they
// stand in and in which order. Comments, layout, imports and tests do not count, nor what is generated: the
// schema's part in a view is compared by templates.Revisions. It is "" for code that does not parse.
func Hash(files map[string][]byte) string {
	var sums []string
	for name, text := range files {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_gen.go") {
			continue
		}
		some, ok := declarationSums(text)
		if !ok {
			return ""
		}
		sums = append(sums, some...)
	}
	slices.Sort(sums)
	h := sha256.Sum256([]byte(strings.Join(sums, "\n")))
	return hex.EncodeToString(h[:12])
}

func declarationSums(text []byte) (sums []string, ok bool) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, false
	}
	for _, d := range file.Decls {
		if g, isGen := d.(*ast.GenDecl); isGen && g.Tok == token.IMPORT {
			continue
		}
		sums = append(sums, tokensSum(text[set.Position(d.Pos()).Offset:set.Position(d.End()).Offset]))
	}
	return sums, true
}

// tokensSum hashes code without its comments and layout.
func tokensSum(text []byte) string {
	set := token.NewFileSet()
	var s scanner.Scanner
	s.Init(set.AddFile("", set.Base(), len(text)), text, func(token.Position, string) {}, 0)
	h := sha256.New()
	for {
		_, tok, lit := s.Scan()
		if tok == token.EOF {
			return hex.EncodeToString(h.Sum(nil))
		}
		if tok == token.SEMICOLON {
			continue // is there or not with the layout
		}
		_, _ = fmt.Fprintf(h, "%s %q\n", tok, lit)
	}
}
