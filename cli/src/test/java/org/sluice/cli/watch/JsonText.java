package org.sluice.cli.watch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A JSON document, read: objects are maps, arrays lists, numbers doubles. Strict enough to notice what is no JSON. */
final class JsonText {
    private final String text;
    private int at;

    private JsonText(String text) {
        this.text = text;
    }

    static Node parse(String text) {
        JsonText reader = new JsonText(text);
        Object value = reader.value();
        reader.space();
        if (reader.at != text.length()) {
            throw new IllegalArgumentException("more than one document, at " + reader.at);
        }
        return new Node(value);
    }

    /** A value and the way to those inside it. */
    record Node(Object value) {
        Node get(String name) {
            Map<?, ?> map = (Map<?, ?>) value;
            if (!map.containsKey(name)) {
                throw new IllegalArgumentException("no member " + name + " among " + map.keySet());
            }
            return new Node(map.get(name));
        }

        List<Node> list() {
            return ((List<?>) value).stream().map(Node::new).toList();
        }

        double number() {
            return (Double) value;
        }

        String text() {
            return (String) value;
        }

        boolean isTrue() {
            return (Boolean) value;
        }
    }

    private void space() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private Object value() {
        space();
        return switch (text.charAt(at)) {
            case '{' -> object();
            case '[' -> array();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw new IllegalArgumentException("no JSON at " + at);
        }
        at += word.length();
        return value;
    }

    private Double number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return Double.valueOf(text.substring(from, at));
    }

    private String string() {
        StringBuilder out = new StringBuilder();
        for (at++; text.charAt(at) != '"'; at++) {
            char c = text.charAt(at);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            c = text.charAt(++at);
            if (c == 'u') {
                out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                at += 4;
            } else {
                out.append(
                        switch (c) {
                            case 'n' -> '\n';
                            case 't' -> '\t';
                            case 'r' -> '\r';
                            default -> c;
                        });
            }
        }
        at++;
        return out.toString();
    }

    private boolean next(char end) {
        space();
        char c = text.charAt(at++);
        if (c != end && c != ',') {
            throw new IllegalArgumentException("no JSON at " + (at - 1));
        }
        return c == ',';
    }

    private List<Object> array() {
        List<Object> all = new ArrayList<>();
        at++;
        space();
        if (text.charAt(at) == ']') {
            at++;
            return all;
        }
        do {
            all.add(value());
        } while (next(']'));
        return all;
    }

    private Map<String, Object> object() {
        Map<String, Object> all = new LinkedHashMap<>();
        at++;
        space();
        if (text.charAt(at) == '}') {
            at++;
            return all;
        }
        do {
            space();
            String name = string();
            space();
            word(":", "");
            all.put(name, value());
        } while (next('}'));
        return all;
    }
}
