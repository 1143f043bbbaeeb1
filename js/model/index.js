/** The address of the model file: `TextEmbedder.fromPretrained(model)`. */
export default new URL("./model.int8.safetensors", import.meta.url);
