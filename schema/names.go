package schema

import (
	"fmt"
	"strings"
	"unicode"
)

// styleOf finds the rule of names that a pattern is of.
func styleOf(pattern string) *nameRule {
	for _, rule := range []*nameRule{pascalCase, camelCase, kebabCase, kebabKey} {
		if rule.pattern == pattern {
			return rule
		}
	}
	return kebabCase
}

func reportName(r *report, at *node, what string, rule *nameRule) {
	name := at.text
	if strings.HasPrefix(name, "_") {
		r.add("reserved-name", at, fmt.Sprintf("%q is reserved: names that start with _ are esgen's own", name), respelled(name, rule))
		return
	}
	if len(name) > maxName && matches(rule.pattern, name) {
		r.add("bad-name", at, fmt.Sprintf("a name has at most %d characters, and this one has %d", maxName, len(name)), "")
		return
	}
	message := fmt.Sprintf("%q is not written in %s", name, rule.style)
	if what != "" {
		message += ", as the name of " + article(what) + " is"
	}
	r.add("bad-name", at, message, respelled(name, rule))
}

func article(what string) string {
	if strings.ContainsRune("aeiou", rune(what[0])) {
		return "an " + what
	}
	return "a " + what
}

// respelled offers the name in the style that is wanted.
func respelled(name string, rule *nameRule) string {
	words := nameWords(name)
	foreign := func(c rune) bool { return c > unicode.MaxASCII } // leaving them out would leave another word
	if len(words) == 0 || strings.ContainsFunc(name, foreign) {
		return "such as " + rule.example
	}
	for i, w := range words {
		w = strings.ToLower(w)
		if rule.style == "PascalCase" || rule.style == "camelCase" && i > 0 {
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		words[i] = w
	}
	joiner := ""
	if rule.style == "kebab-case" {
		joiner = "-"
	}
	respelling := strings.Join(words, joiner)
	if !matches(rule.pattern, respelling) || len(respelling) > maxName {
		return "such as " + rule.example
	}
	return "write " + respelling
}

// nameWords cuts a name in any style into its ASCII words.
func nameWords(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, string(word))
		}
		word = nil
	}
	for _, c := range name {
		if c > unicode.MaxASCII || !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			end()
			continue
		}
		if unicode.IsUpper(c) && len(word) > 0 && !unicode.IsUpper(word[len(word)-1]) {
			end()
		}
		word = append(word, c)
	}
	end()
	return words
}

// maxListed bounds the names in one message.
const maxListed = 20

func list(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

// nearest finds the one of the names that was probably meant, or "".
func nearest(name string, names []string) string {
	best, bestDistance := "", max(len(name)/3, 1)+1
	if len(name) < 3 {
		bestDistance = 1 // any other letter is as near
	}
	for _, candidate := range names {
		if strings.EqualFold(candidate, name) {
			return candidate
		}
		if d := len(candidate) - len(name); d >= bestDistance || -d >= bestDistance || len(name) > 2*maxName {
			continue
		}
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
