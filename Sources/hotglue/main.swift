print("hotglue")
