package org.sluice.cli.common;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes records as JSON: the components in their order are the members, so that a record's declaration is the document's
 * schema. Takes records, lists, strings, numbers, booleans, enums and null.
 */
public final class Json {
    private static final String INDENT = "  ";

    private final StringBuilder out = new StringBuilder();

    private Json() {}

    /** The document, with a line break at its end. */
    public static String of(Record document) {
        Json json = new Json();
        json.value(document, 0);
        return json.out.append('\n').toString();
    }

    private void value(@Nullable Object value, int depth) {
        switch (value) {
            case null -> out.append("null");
            case Record r -> record(r, depth);
            case List<?> l -> list(l, depth);
            case Double d when !Double.isFinite(d) -> out.append("null"); // JSON has no such number
            case Number n -> out.append(n);
            case Boolean b -> out.append(b);
            case Enum<?> e -> string(Values.text(e));
            case String s -> string(s);
            default -> throw new IllegalArgumentException("not for JSON: " + value.getClass());
        }
    }

    private void record(Record record, int depth) {
        out.append('{');
        String separator = "";
        for (RecordComponent c : record.getClass().getRecordComponents()) {
            out.append(separator);
            line(depth + 1);
            string(c.getName());
            out.append(": ");
            try {
                c.getAccessor().setAccessible(true);
                value(c.getAccessor().invoke(record), depth + 1);
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new IllegalStateException("record " + record.getClass() + " cannot be read", e);
            }
            separator = ",";
        }
        line(depth);
        out.append('}');
    }

    private void list(List<?> list, int depth) {
        out.append('[');
        String separator = "";
        for (Object element : list) {
            out.append(separator);
            line(depth + 1);
            value(element, depth + 1);
            separator = ",";
        }
        if (!list.isEmpty()) {
            line(depth);
        }
        out.append(']');
    }

    private void line(int depth) {
        out.append('\n').append(INDENT.repeat(depth));
    }

    private void string(String s) {
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ' || Character.isSurrogate(c)) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
