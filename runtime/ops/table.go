package ops

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
)

// table aligns columns; each gap starts anew.
type table struct {
	text  bytes.Buffer
	block *tabwriter.Writer
}

func newTable() *table {
	t := &table{}
	t.block = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	return t
}

func (t *table) line(cells ...any) {
	for i, cell := range cells {
		if i > 0 {
			_, _ = fmt.Fprint(t.block, "\t")
		}
		_, _ = fmt.Fprint(t.block, cell)
	}
	_, _ = fmt.Fprintln(t.block)
}

func (t *table) gap() {
	_ = t.block.Flush() // into memory
	t.text.WriteByte('\n')
}

func (t *table) write(out io.Writer) error {
	_ = t.block.Flush()
	_, err := out.Write(t.text.Bytes())
	return err
}

// printable quotes what would move the cursor or the columns: ids come from clients.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
