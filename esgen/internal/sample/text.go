package sample

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/esgen/esgen/schema"
)

// entityID makes the n-th id of an entity up.
func entityID(e schema.Entity, n int) (string, bool) {
	plain := fmt.Sprintf("%s-%d", e.Name, n)
	return constrained(plain, e.Pattern, &e.MinLength, &e.MaxLength, n-1)
}

// text makes a string up that reads like what the field is called.
func text(t *schema.Type, name string, n int) (string, bool) {
	formats := map[string]string{
		"email": "ada%s@example.com", "uri": "https://example.com/%s", "hostname": "host%s.example.com",
		"ipv4": "192.0.2.%s", "ipv6": "2001:db8::%s",
	}
	if f, ok := formats[t.Format]; ok {
		text := fmt.Sprintf(f, fmt.Sprint(n+1))
		return constrained(text, t.Pattern, t.MinLength, t.MaxLength, n)
	}
	plain := name
	if stem, ok := strings.CutSuffix(name, "Id"); ok && stem != "" {
		plain = fmt.Sprintf("%s-%d", stem, n+1)
	} else if n > 0 {
		plain = fmt.Sprintf("%s %d", name, n+1)
	}
	return constrained(plain, t.Pattern, t.MinLength, t.MaxLength, n)
}

// constrained returns plain if it fits, or made to fit, or a text made from the pattern.
func constrained(plain, pattern string, low, high *int, n int) (string, bool) {
	if pattern == "" {
		return fit(plain, low, high)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return "", false
	}
	fits := func(s string) bool {
		size := utf8.RuneCountInString(s)
		return (low == nil || size >= *low) && (high == nil || size <= *high) && re.MatchString(s)
	}
	for _, s := range []string{plain, strings.ToUpper(plain), strings.ReplaceAll(plain, "-", ""), strings.ToLower(plain)} {
		if fits(s) {
			return s, true
		}
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	// More repetitions make longer texts, -1 the shortest; another n another text.
	for more := range bound {
		for _, repeat := range []int{more, -1} {
			var b strings.Builder
			write(&b, tree, repeat, n+more)
			// A pattern that is not anchored leaves room for more.
			longer, _ := fit(b.String(), low, nil)
			for _, s := range []string{b.String(), longer} {
				if fits(s) {
					return s, true
				}
			}
		}
	}
	return "", false
}

// fit shortens or lengthens a text.
func fit(text string, low, high *int) (string, bool) {
	if low != nil && *low > 1000 {
		return "", false
	}
	runes := []rune(text)
	for low != nil && len(runes) < *low {
		runes = append(runes, 'x')
	}
	if high != nil && len(runes) > *high {
		runes = runes[len(runes)-max(*high, 0):] // the end tells texts apart
	}
	return string(runes), true
}

// write appends a text that the expression matches, if it is one without
// conditions on what stands around it.
func write(b *strings.Builder, re *syntax.Regexp, more, n int) {
	if b.Len() > 2000 {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(pick(re.Rune, n+b.Len()))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte("abcdefghij"[(n+b.Len())%10])
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			write(b, sub, more, n)
		}
	case syntax.OpAlternate:
		write(b, re.Sub[n%len(re.Sub)], more, n)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := re.Min, re.Max
		switch re.Op {
		case syntax.OpStar:
			low, high = 0, -1
		case syntax.OpPlus:
			low, high = 1, -1
		case syntax.OpQuest:
			low, high = 0, 1
		}
		count := max(low, 1) + more
		if more < 0 {
			count = low
		}
		if high >= 0 {
			count = min(count, high)
		}
		for range count {
			write(b, re.Sub[0], 0, n)
		}
	}
}

// pick chooses a readable character of a class.
func pick(ranges []rune, n int) rune {
	var good []rune
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && len(good) < 100; r++ {
			if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
				good = append(good, r)
			}
			if r > unicode.MaxASCII {
				break
			}
		}
	}
	if len(good) > 0 {
		return good[n%len(good)]
	}
	if len(ranges) > 0 {
		return ranges[0]
	}
	return 'x'
}
