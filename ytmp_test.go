package esgen_test
import ("testing";"fmt";"gopkg.in/yaml.v3";"strings";"time")
func dump(n *yaml.Node, d int){ fmt.Printf("%s%d:%d kind=%d tag=%s style=%d val=%q\n", strings.Repeat("  ",d), n.Line,n.Column,n.Kind,n.Tag,n.Style,n.Value); for _,c:=range n.Content{dump(c,d+1)}}
func TestY(t *testing.T){
 for _,s:=range []string{"a: {b: string?, c: x}","a: {b: string?}","a: {type: LineItem[], minItems: 1}","a: {b: string ?, c: d}","a: {k: standings[].p}","a: [string?]","a: {b: string[]?}", "a: &x\n  b: c\nd: *x\ne: &y foo\nf: &z \"foo\"", "a:\n\tb: c","a: *q","a: b\n---\nc: d","a: 'x","","# c","a: b: c", "a: {b: list<string>?}", "a: [b\nc: d", "a: {b?: string}", "a: {b: x\n", "- a\n b: c\n", "a: @x","a: `x", "a: \"\\q\"", "%FOO", "a: !!str 5", "a: !foo 5","? {a: b}\n: c", "a: {x: map<string>?, y: b}", "{a: \"b\"c}"} {
  var n yaml.Node
  err:=yaml.Unmarshal([]byte(s),&n)
  fmt.Printf("=== %q err=%v\n",s,err)
  if err==nil {dump(&n,0)}
 }
 for _,s:=range []string{strings.Repeat("[",9000),strings.Repeat("- ",9000),strings.Repeat("{a: ",9000),strings.Repeat("[",1000000),strings.Repeat("- ",1000000),strings.Repeat("a: ",100000),strings.Repeat("? ",100000),strings.Repeat("# c\n",300000), strings.Repeat("&a ",300000),strings.Repeat("a: b\n\n#x\n",100000), strings.Repeat("- a\n # x\n",100000), "a: \""+strings.Repeat("x\n",500000)+"\"", "a: |\n"+strings.Repeat(" x\n",500000), strings.Repeat("[a,",300000), strings.Repeat("a\n",500000), "x: "+strings.Repeat("[]",300000), "{"+strings.Repeat("a,",500000)+"}", strings.Repeat("[[],\n#\n",9000),strings.Repeat("{a: #\n",9000)} {
  var n yaml.Node
  t0:=time.Now()
  err:=yaml.Unmarshal([]byte(s),&n)
  fmt.Printf("=== %.10q len %d err=%v %v\n",s,len(s),err,time.Since(t0))
 }
}
