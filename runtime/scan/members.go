package scan

// Members steps through the members of an object:
//
//	for m := s.Members(); m.Next(); {
//		if m.Name == "id" { … read the value at s.Pos … } else if !s.Skip() { return false }
//	}
//	return m.Whole()
//
// Whoever steps reads each value. One that cannot be read ends the reading of the text.
type Members struct {
	Name  string // of the member whose value stands at Pos
	s     *Scanner
	state progress
}

// Elements steps through the elements of a list as [Members] does through an object.
type Elements struct {
	s     *Scanner
	state progress
}

type progress uint8

const (
	unopened progress = iota
	within
	whole
	broken
)

// Members begins to step through the object at Pos.
func (s *Scanner) Members() Members { return Members{s: s} }

// Elements begins to step through the list at Pos.
func (s *Scanner) Elements() Elements { return Elements{s: s} }

// Next goes to the next member's value; it reports false at the end of the object, and
// where the text is wrong.
func (m *Members) Next() bool {
	if !m.state.step(m.s, '{', '}') {
		return false
	}
	m.s.Space()
	var ok bool
	if m.Name, ok = m.s.String(); !ok || m.s.Space() != ':' {
		m.state = broken
		return false
	}
	m.s.Pos++
	m.s.Space()
	return true
}

// Whole reports whether the object was read to its end.
func (m *Members) Whole() bool { return m.state == whole }

// Next goes to the next element; it reports false at the end of the list, and where the
// text is wrong.
func (e *Elements) Next() bool {
	ok := e.state.step(e.s, '[', ']')
	if ok {
		e.s.Space()
	}
	return ok
}

// Whole reports whether the list was read to its end.
func (e *Elements) Whole() bool { return e.state == whole }

// step reads what stands before a member or element.
func (p *progress) step(s *Scanner, begin, end byte) bool {
	c := s.Space()
	switch {
	case *p == unopened && c == begin:
		s.Pos++
		if *p = within; s.Space() != end {
			return true
		}
		s.Pos++
		*p = whole
	case *p == within && c == ',':
		s.Pos++
		return true
	case *p == within && c == end:
		s.Pos++
		*p = whole
	default:
		*p = broken
	}
	return false
}
