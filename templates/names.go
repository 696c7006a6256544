package templates

import (
	"fmt"
	"strings"
)

// uniqueFile makes a file name differ from its siblings: "OrderURL" and "OrderUrl"
// are two events and one file name.
func uniqueFile(taken map[string]bool, name string) string {
	unique := name
	for n := 2; taken[unique]; n++ {
		unique = fmt.Sprintf("%s_%d", name, n)
	}
	taken[unique] = true
	return unique
}

// article is "a" or "an", by the letter that the word begins with.
func article(word string) string {
	if strings.ContainsAny(word[:1], "AEIOUaeiou") {
		return "an"
	}
	return "a"
}

// count is a number with its noun: "1 value", "3 values".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
